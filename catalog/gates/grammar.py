"""The grammar of rules: text → a rule; where it can't be read, the column, and what could stand there.

LALR, by lark, which is imported when the first rule is read: a site without gates has no use for it. Words are read
loosely, and checked afterwards, so that a wrong one is named whole. docs/gates.md has the grammar for users.
"""

import functools
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from catalog.gates.rules import (
    Age,
    CardPresent,
    Comparison,
    From,
    Is,
    Offset,
    Operator,
    Parents,
    Property,
    Reference,
    Rule,
    SameData,
    Tagged,
    Threshold,
    Unit,
    Within,
)
from obproject.branches import check_alias, check_branch
from obproject.metric_names import is_reserved, may_be_metric
from obproject.references import ReferenceKind, parse_reference

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark.exceptions import UnexpectedInput

GRAMMAR = r"""
start: threshold | comparison | within | parents | card | age | property | tagged | made | same
threshold: name OPERATOR NUMBER
comparison: name OPERATOR reference (SIGN (AMOUNT (PER_CENT | NOISE)? | NOISE))?
within: name "within" AMOUNT PER_CENT? "of" reference
parents: "parents" (ALL | ANY) reference
card: "card" "present"
age: "age" OPERATOR AMOUNT UNIT
property: NOT? (UNUSUAL | DEPRECATED | LATE)
tagged: "tag" name (OPERATOR name)?
made: "from" name
same: "same" "data" "as" reference
name: NAME | STRING
reference: REFERENCE | STRING

ALL: "all"
ANY: "any"
NOT: "not"
UNUSUAL: "unusual"
DEPRECATED: "deprecated"
LATE: "late"
NOISE: "noise"
PER_CENT: "%"
SIGN: "+" | "-"
OPERATOR: />=|<=|==|!=|[<>=]/
STRING: /"([^"\\]|\\.)*"/
NAME: /[^\s"!#$%&'()*,;<=>?\[\\\]^`{|}]+/
NUMBER: /[+-]?\.?[0-9][0-9.,_eE+-]*/
AMOUNT: /\.?[0-9][0-9.,_eE+-]*/
UNIT: /[^\W\d_]+/
REFERENCE: /[^\s"!#$%&'()*,;<=>?\[\\\]^`{|}+.0-9-][^\s"!#$%&'()*,;<=>?\[\\\]^`{|}]*/
%ignore " "
%ignore "\t"
"""
EXPECTED = {
    **{"NAME": "a name", "STRING": "a text in quotes", "OPERATOR": "one of >= > <= < = !=", "NUMBER": "a number"},
    **{"AMOUNT": "a number", "PER_CENT": "%", "NOISE": "noise", "SIGN": "+ or -", "UNIT": "s, min, h, d or w"},
    **{"REFERENCE": "@alias, latest, latest-1 or v12", "$END": "the end of the rule"},
}
"""What terminals are called where they could stand; those that are words are called by themselves."""

LONGEST = 500
"""The most characters of a rule."""
DIGITS, LARGEST_POWER = 40, 400
"""The most digits of a number, and the largest power of ten that it may have: all floats are within."""
LONGEST_AGE = timedelta(days=36_500)
FOUND = 30
"""How much of what was found is repeated."""

NUMBER = re.compile(r"[+-]?(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]+))?(?:[eE](?P<power>[+-]?[0-9]+))?")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"?')
CLOSED = re.compile(r'"(?:[^"\\]|\\.)*"')
WORD = re.compile(r"\S+")
ID = re.compile(r"[id]_[0-9A-Za-z]+")
VERSION = re.compile(r"latest(-[0-9]+)?|v[0-9]+")
OFFSET_IN_NAME = re.compile(r"(?P<name>(?:@|v[0-9]|latest).*?)(?P<sign>[+-])(?P<amount>[0-9.]+|noise)")
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
KEYWORDS = ("parents", "card", "age", "not", *(one.value for one in Property), "tag", "from", "same")
"""Words with which a rule begins; a metric of such a name is written in quotes."""
OPERATORS = {"==": Operator.EQUAL}
MISWRITTEN = {"=>": ">=", "=<": "<=", "<>": "!="}
SIGNS = {"≥": ">=", "≤": "<=", "≠": "!=", "\N{MINUS SIGN}": "-"}
"""What word processors make of signs. Of dashes, quotation marks and wide letters Unicode knows what they are."""


class CantParse(ValueError):
    """`message` says what is wrong, `column` where, counted from 1 (behind the last character, at the end of the text),
    `expected` what could stand there; empty where that is no matter of the grammar."""

    def __init__(self, message: str, column: int, expected: tuple[str, ...] = ()) -> None:
        super().__init__(message, column, expected)
        self.message = visible(message)
        self.column, self.expected = column, expected

    def __str__(self) -> str:
        return f"column {self.column}: {self.message}"


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> Rule:
    """The rule that a text says; raises CantParse, and nothing else, if it says none."""
    _check_characters(text)
    tree = _tree(text)
    return MEANINGS[tree.data](_Words(text, tree.words))


@dataclass(frozen=True)
class _Word:
    """A part of a rule, such as a name. `kind` is that of its terminal."""

    kind: str
    text: str
    column: int


@dataclass(frozen=True)
class _Tree:
    data: str
    words: list[_Word]


def _tree(text: str) -> _Tree:
    from lark.exceptions import UnexpectedInput

    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _explained(text, error) from None
    found: Any = tree.children[0]
    tokens: Iterator[Token] = found.scan_values(lambda _: True)
    words = [_Word(token.type, str(token), (token.start_pos or 0) + 1) for token in tokens]
    return _Tree(str(found.data), words)


@functools.cache
def _parser() -> "Lark":
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


# What the words of a rule mean


class _Words:
    """The words of a rule in their order, each checked as it is taken."""

    def __init__(self, text: str, words: list[_Word]) -> None:
        self.text = text.strip()
        self._words = words

    @property
    def next(self) -> _Word:
        return self._words[0]

    def take(self, *kinds: str) -> _Word | None:
        """The next word, if it is one of these kinds."""
        return self._words.pop(0) if self._words and self._words[0].kind in kinds else None

    def word(self) -> _Word:
        return self._words.pop(0)

    def name(self) -> str:
        word = self.word()
        return _quoted(word) if word.kind == "STRING" else _plain_name(word)

    def metric(self) -> str:
        word = self.next
        if word.kind == "NAME" and not (word.text[0].isalpha() or word.text[0] == "_"):
            raise CantParse(
                f"a rule begins with a metric, and {_shown(word.text)} is no name of one without quotes",
                word.column,
                ("a metric",),
            )
        name = self.name()
        if not may_be_metric(name):
            what = "is kept for the catalogue" if is_reserved(name) else "is called like an identity or a moment"
            raise CantParse(f"{_shown(name)} is never a metric: it {what}", word.column, ("a metric",))
        return name

    def operator(self) -> Operator:
        text = self.word().text
        return OPERATORS.get(text) or Operator(text)

    def number(self) -> Decimal:
        return _number(self.word())

    def unit(self) -> Unit:
        word = self.take("PER_CENT", "NOISE")
        return Unit(word.text) if word else Unit.PLAIN

    def reference(self) -> Reference:
        """A version that is compared with. One that may be read in two ways is written in quotes."""
        word = self.word()
        if word.kind == "STRING":
            return _reference(_quoted(word), word)
        _refuse_two_readings(word)
        return _reference(word.text, word)

    def alias(self) -> str:
        word = self.next
        if not word.text.lstrip('"').startswith("@"):
            raise CantParse(f"{_shown(word.text)} is no alias, which begins with @", word.column, ("@alias",))
        self.word()
        return _reference(_quoted(word) if word.kind == "STRING" else word.text, word).alias


def _threshold(words: _Words) -> Rule:
    return Threshold(words.text, words.metric(), words.operator(), words.number())


def _comparison(words: _Words) -> Rule:
    metric, operator = words.metric(), words.operator()
    reference = words.reference()
    return Comparison(words.text, metric, operator, reference, _offset(words))


def _offset(words: _Words) -> Offset:
    sign = words.take("SIGN")
    if not sign:
        return Offset(Decimal(0))
    amount = Decimal(1) if words.next.kind == "NOISE" else words.number()
    return Offset(-amount if sign.text == "-" else amount, words.unit())


def _within(words: _Words) -> Rule:
    metric, amount, unit = words.metric(), words.number(), words.unit()
    return Within(words.text, metric, amount, unit, words.reference())


def _parents(words: _Words) -> Rule:
    return Parents(words.text, words.word().kind == "ALL", words.alias())


def _card(words: _Words) -> Rule:
    return CardPresent(words.text)


def _age(words: _Words) -> Rule:
    operator, amount, unit = words.word(), words.word(), words.word()
    if operator.text != Operator.AT_MOST:
        raise CantParse(
            'an age is only compared by <=; a metric of this name is written "age"', operator.column, ("<=",)
        )
    if unit.text not in SECONDS:
        raise CantParse(
            f"{_shown(unit.text)} is no unit of time; write {EXPECTED['UNIT']}", unit.column, (EXPECTED["UNIT"],)
        )
    seconds = Fraction(_number(amount)) * SECONDS[unit.text]
    if seconds > LONGEST_AGE.total_seconds():
        raise CantParse(f"an age is at most {LONGEST_AGE.days:,} days", amount.column, ("a smaller number",))
    return Age(words.text, timedelta(microseconds=round(seconds * 1_000_000)))


def _property(words: _Words) -> Rule:
    wanted = not words.take("NOT")
    return Is(words.text, Property(words.word().text), wanted)


def _tagged(words: _Words) -> Rule:
    key = words.name()
    sign = words.take("OPERATOR")
    if sign and sign.text != "=":
        raise CantParse("a tag is only compared by =", sign.column, ("=",))
    return Tagged(words.text, key, words.name() if sign else None)


def _made(words: _Words) -> Rule:
    word = words.next
    try:
        return From(words.text, check_branch(words.name()))
    except CantParse:
        raise
    except ValueError as error:
        raise CantParse(str(error), word.column, ("a branch",)) from None


def _same(words: _Words) -> Rule:
    return SameData(words.text, words.reference())


MEANINGS: dict[str, Callable[[_Words], Rule]] = {
    "threshold": _threshold,
    "comparison": _comparison,
    "within": _within,
    "parents": _parents,
    "card": _card,
    "age": _age,
    "property": _property,
    "tagged": _tagged,
    "made": _made,
    "same": _same,
}


# Words by themselves


def _number(word: _Word) -> Decimal:
    match = NUMBER.fullmatch(word.text)
    whole, part, power = match.group("whole", "part", "power") if match else ("", None, None)
    digits = whole + (part or "")
    if not digits:
        hint = (
            "; its decimal sign is a point, and nothing else stands between its digits"
            if set(word.text) & set(",_")
            else ""
        )
        raise CantParse(f"{_shown(word.text)} is no number{hint}", word.column, ("a number such as 0.78",))
    if len(digits) > DIGITS or abs(int(power or 0)) > LARGEST_POWER:
        raise CantParse(
            f"{_shown(word.text)} is beyond what is compared: at most {DIGITS} digits, and a power of ten up to "
            f"{LARGEST_POWER}",
            word.column,
            ("a shorter number",),
        )
    return Decimal(word.text)


def _quoted(word: _Word) -> str:
    """What a JSON string says, if it can be stored and shown."""
    try:
        text: str = json.loads(word.text)
    except ValueError:
        raise CantParse(f"{_shown(word.text)} is no JSON string", word.column, ("a text in quotes",)) from None
    if not text.strip() or any(unicodedata.category(one) in ("Cc", "Cs") for one in text):
        said = "has a character that can't be shown" if text.strip() else "says nothing"
        raise CantParse(f"the text in quotes {said}", word.column, ("a text in quotes",))
    return text


def _plain_name(word: _Word) -> str:
    """A name without quotes: of letters, digits and marks of any script, and a few signs."""
    for place, one in enumerate(word.text):
        if not (one.isascii() or one.isalnum() or unicodedata.category(one)[0] in "LMN"):
            raise CantParse(
                f"{one} stands in no name without quotes; write {_in_quotes(word.text)}", word.column + place
            )
    return word.text


def _reference(text: str, word: _Word) -> Reference:
    try:
        parsed = parse_reference(text)
    except ValueError as error:
        raise CantParse(str(error), word.column, (EXPECTED["REFERENCE"],)) from None
    if parsed.kind is ReferenceKind.ID and not ID.fullmatch(text):
        raise CantParse(f"{_shown(word.text)} is no version{_meant(text)}", word.column, (EXPECTED["REFERENCE"],))
    return Reference(str(parsed))


def _meant(text: str) -> str:
    """What somebody may have meant by what is no reference."""
    if NUMBER.fullmatch(text):
        return "; a number is written without quotes"
    if text.lower() in ("nan", "inf", "infinity"):
        return ", and no number that anything is compared with"
    if text.startswith("noise"):
        return "; noise stands behind one, as in @production - noise"
    if VERSION.fullmatch(text.lower()):
        return f"; write {text.lower()}"
    try:
        return f"; write @{check_alias(text)} if it is an alias"
    except ValueError:
        return ""


def _refuse_two_readings(word: _Word) -> None:
    """`@production-0.002` may be an alias of this name, or 0.002 less than `@production`; `@latest` may be an alias,
    or the newest: nobody should guess, since an alias that never existed refuses nothing."""
    or_else = f", or {_in_quotes(word.text)} if that is the alias" if word.text.startswith("@") else ""
    if word.text.startswith("@") and VERSION.fullmatch(word.text[1:]):
        raise CantParse(f"write {word.text[1:]}{or_else}", word.column, (word.text[1:],))
    match = OFFSET_IN_NAME.fullmatch(word.text)
    if match and not VERSION.fullmatch(word.text):
        raise CantParse(f"write {' '.join(match.groups())}{or_else}", word.column + match.start("sign"), ("a space",))


# What is wrong, in words


def _check_characters(text: str) -> None:
    """Refuse what can't be seen, or looks like something else."""
    if len(text) > LONGEST:
        raise CantParse(f"a rule has at most {LONGEST} characters; this one has {len(text):,}", LONGEST + 1)
    for place, one in enumerate(text):
        if one not in " \t" and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs"):
            name = "a line break" if one in "\r\n" else f"U+{ord(one):04X}"
            said = "is a space of another kind" if unicodedata.category(one) == "Zs" else "can't be seen"
            raise CantParse(f"{name} stands in no rule" if one in "\r\n" else f"{name} {said}", place + 1)
    outside = STRING.sub(lambda match: " " * len(match[0]), text)
    for place, one in enumerate(outside):
        if not one.isascii() and (sign := _looks_like(one)):
            raise CantParse(f"{one} is not read here; write {sign}", place + 1, (sign,))


def _looks_like(one: str) -> str:
    """The sign of the grammar that a character looks like; empty if it does not."""
    if unicodedata.category(one) in ("Pd", "Pi", "Pf"):
        return "-" if unicodedata.category(one) == "Pd" else '"'
    plain = SIGNS.get(one) or unicodedata.normalize("NFKC", one)
    return plain if plain.isascii() and not one.isalnum() else ""


def _explained(text: str, error: "UnexpectedInput") -> CantParse:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    place = error.pos_in_stream
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    terminals: set[str] = set()
    if isinstance(error, UnexpectedToken):
        terminals = error.accepts or set(error.expected)
    elif isinstance(error, UnexpectedCharacters):
        terminals = set(error.allowed or ())
    end = len(text.rstrip())
    at_end = at_end or place is None or place >= end
    place = end if at_end or place is None else place
    at_start = not text[:place].strip()
    expected = _in_words(terminals, at_start=at_start)
    found = "the rule ends" if at_end else _shown(_word_at(text, place))
    if not text.strip():
        return CantParse("the rule is empty", 1, expected)
    if not at_end and (hint := _hint(text, place, terminals)):
        return CantParse(hint, place + 1, expected)
    return CantParse(f"{found} where {_or(expected)} could stand", place + 1, expected)


def _in_words(terminals: set[str], *, at_start: bool) -> tuple[str, ...]:
    """What could stand somewhere, the names first, each once."""
    if at_start:
        return ("a metric", *KEYWORDS)
    if terminals & {"NAME", "REFERENCE"}:
        terminals = terminals - {"STRING"}
    words = [EXPECTED.get(name) or name.lower().replace("_", " ") for name in sorted(terminals, key=_rank)]
    return tuple(dict.fromkeys(words))


def _rank(terminal: str) -> tuple[int, str]:
    known = list(EXPECTED)
    return (known.index(terminal) if terminal in EXPECTED else -1, terminal)


def _hint(text: str, place: int, terminals: set[str]) -> str:
    """A sentence for what people write who know other grammars; empty if there is none."""
    found, before = _word_at(text, place), text[:place].split()
    if found.startswith('"') and not CLOSED.fullmatch(found):
        return "the text in quotes does not end"
    if found.startswith(("'", "`")):
        return f'{found[0]} is not read here; write "'
    if found.lower() in ("and", "or", "&&", "||", "&", "|"):
        return "a rule is one condition; write each as a rule of its own, which all have to be met"
    if (sign := text[max(place - 1, 0) : place + 1]) in MISWRITTEN:
        return f"write {MISWRITTEN[sign]} instead of {sign}"
    if len(before) == 1 and before[0] in KEYWORDS and (found[0] in "<>=!" or found == "within"):
        return f"{before[0]} begins another rule; a metric of this name is written {_in_quotes(before[0])}"
    if before and before[0] not in KEYWORDS and before[0].lower() in KEYWORDS and terminals >= {"OPERATOR", "WITHIN"}:
        return f"words are written small: {before[0].lower()}"
    if found[0] in "*/" and terminals & {"SIGN", "NOISE"}:
        return "nothing is multiplied; write - 5%, or - 2 noise"
    if "SIGN" in terminals and before[-1:] and before[-1][-1] in "+-":
        return f"write {before[-1][:-1]} {before[-1][-1]} {found}"
    if "AMOUNT" in terminals and found[0] in "+-":
        return f"{found[0]} stands before no number here"
    if found[0] == "%" and (match := OFFSET_IN_NAME.fullmatch((before or [""])[-1])):
        return f"write {' '.join(match.groups())}%"
    if found[0] == "%":
        return "per cent are those of another version, as in @production - 5%"
    if "OPERATOR" in terminals and not text[place - 1].isspace() and found[0] not in '<>=!"':
        return f"{found[0]} stands in no name without quotes"
    return ""


def _word_at(text: str, place: int) -> str:
    """What stands somewhere, up to the next space."""
    match = STRING.match(text, place) or WORD.match(text, place)
    return match[0] if match else " "


def visible(text: str) -> str:
    """A text in which nothing is unseen: what can't be printed stands as its escape."""
    return text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _shown(text: str) -> str:
    return text if len(text) <= FOUND else f"{text[: FOUND - 1]}…"


def _in_quotes(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)
