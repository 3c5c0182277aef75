"""A comparison of two branches as Markdown, for the comment on a pull request.

It has at most 60 lines and 10 kB whatever it tells of, and is cut at the borders of rows and items only, with the
number of those that are left out and a link to all. What users wrote can neither break a table or emphasis nor become
HTML, a link, or a mention of somebody.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape

from catalog.addresses import asset_url_below, branch_url, compare_branches_url
from catalog.metrics import with_unit
from catalog.shown.names import isolated
from comparing.arrows import sentence_of
from comparing.branch_words import (
    completeness,
    lede_of,
    limits_said,
    look_of,
    moment_text,
    not_built_names,
    not_built_word,
    what_changed,
)
from comparing.branches import BranchComparison
from comparing.deltas import Delta, Side
from comparing.pairs import Fate, Pair
from comparing.sameness import Data
from comparing.sentences import Name, Sentence

MOST_LINES, MOST_BYTES = 60, 10_000
MOST_ROWS = 30
"""How many rows the table of models has."""
ROOM = {"models": 4_000, "data": 1_300, "definitions": 900, "lineage": 1_100, "unbuilt": 500}
"""How many bytes each part may have, but for the first of its rows, which it always has."""
NONE = "\N{EN DASH}"
LONGEST_NAME, LONGEST_TEXT = 80, 160
METRICS_OF_MODEL = 6
UNSEEN = "&#8203;"
"""A space of no width: it stands where a host of git would make a mention or a link."""
_ESCAPES = str.maketrans(
    {one: f"\\{one}" for one in "\\`*_{}[]()#!~$"}
    | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", '"': "&quot;", "'": "&#39;"}
)
_REFERS = re.compile(r"(@|[#!$%~&](?=\w)|:(?=//)|(?<=\bwww)(?=\.)|\b(?<=GH)(?=-\d)|:(?=\w+:))", re.I)
_SHA = re.compile(r"\b([0-9a-f]{4})(?=[0-9a-f]{3,36}\b)", re.I)
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_PLACE = "\x00"


def markdown_of(found: BranchComparison, base_url: str) -> str:
    """`base_url`: what stands before the addresses of pages."""
    writer = _Writer(found, base_url)
    for share in (1.0, 0.5, 0.25, 0.0):
        text = "\n".join(writer.lines(share)) + "\n"
        if text.count("\n") <= MOST_LINES and len(text.encode()) <= MOST_BYTES:
            break
    return text


@dataclass
class _Part:
    """A heading with items in one paragraph, as many as there is room for."""

    heading: str
    items: Iterable[str]
    between: str = " · "

    def line(self, room: int, total: int, whole: str) -> str:
        shown = taken(self.items, room)
        left = total - len(shown)
        more = [f"[and {left:,} more]{whole}"] if left > 0 else []
        return f"**{self.heading}** {self.between.join([*shown, *more])}"


def taken(items: Iterable[str], room: int) -> list[str]:
    """The first items that have room."""
    shown: list[str] = []
    for item in items:
        room -= len(item.encode()) + 4
        if room < 0:
            break
        shown.append(item)
    return shown


@dataclass
class _Rows:
    """The rows of the table of models, each with whether it begins one."""

    rows: list[tuple[str, bool]] = field(default_factory=list)

    def add(self, *cells: str, begins: bool = False) -> None:
        self.rows.append((f"| {' | '.join(cells)} |", begins))


class _Writer:
    def __init__(self, found: BranchComparison, base_url: str) -> None:
        self.found, self.base_url = found, base_url
        project = found.head.project
        self.url = base_url + compare_branches_url(project, found.base.key, found.head.key)
        self.whole = f"[{project.perimeter.name}/{project.name}]"
        """What links to the whole comparison end with. A page may have the comparisons of several projects, which tell
        theirs apart by it."""

    def lines(self, share: float) -> list[str]:
        """`share`: how much of its room each part may take."""
        found = self.found
        title = found.head.project.title or found.head.project.name
        lines = [f"### {text(title)}: {code(found.head.name)} against {code(found.base.name)}", ""]
        lede = lede_of(found)
        lines += [f"**{said(found.sentence, LONGEST_TEXT * 2)}**{f'. {said(lede, LONGEST_TEXT * 2)}' if lede else ''}"]
        for part in self._parts(share):
            lines += ["", *part]
        return [*lines, "", self._foot(), "", f"{self.whole}: {self.url}"]

    def _parts(self, share: float) -> Iterable[list[str]]:
        found = self.found
        if models := self._models(share):
            yield models
        data = found.of(Fate.GONE, Fate.NEW, Fate.NEWER, Fate.OLDER, model=False)
        if data:
            items: Iterable[str] = (self._item(pair) for pair in found.differences if not pair.is_model)
            yield [_Part("Data", items).line(int(ROOM["data"] * share), len(data), self.whole)]
        if found.definitions_total:
            items = (self._definition(place) for place in range(len(found.definitions)))
            yield [
                _Part("Definitions", items).line(int(ROOM["definitions"] * share), found.definitions_total, self.whole)
            ]
        if total := found.arrows.differing:
            base = Sentence(Name(found.base.name))
            first = found.arrows.part(0, MOST_ROWS * 2)
            items = (said(sentence_of(side, arrow, base), LONGEST_TEXT) for side, arrow in first)
            yield [_Part("Lineage", items).line(int(ROOM["lineage"] * share), total, self.whole)]
        if found.of(Fate.NOT_BUILT):
            yield [self._unbuilt(share)]
        if notes := limits_said(found):
            yield [" ".join(text(note, 400) for note in notes)]

    def _models(self, share: float) -> list[str]:
        models = [pair for pair in self.found.differences if pair.is_model]
        if not models:
            return []
        table = _Rows()
        for pair in models:
            if len(table.rows) > MOST_ROWS:
                break
            self._add_model(table, pair)
        head = [f"| | {text(self.found.base.name)} | here | Change |", "|---|--:|--:|---|"]
        rows = taken([row for row, _ in table.rows], int(ROOM["models"] * share))[: int(MOST_ROWS * share)]
        shown = sum(begins for _, begins in table.rows[: len(rows)])
        cut = any(not begins for _, begins in table.rows[len(rows) : len(rows) + 1])
        left = len(models) - shown
        if not rows:
            return [f"**Models** [and {left:,} more]{self.whole}"]
        more = [f"and {left:,} more"] if left else []
        more += ["more metrics of the last one"] if cut else []
        return [*head, *rows, *(["", f"[{', '.join(more)}]{self.whole}"] if more else [])]

    def _add_model(self, table: _Rows, pair: Pair) -> None:
        word = look_of(pair).word
        reason = said(pair.because or self._said(pair), LONGEST_TEXT)
        told = f"{text(word)}: {reason}" if reason else text(word)
        table.add(self._link(pair, bold=True), pair.base_ref or NONE, pair.head_ref or NONE, told, begins=True)
        for delta in pair.deltas[:METRICS_OF_MODEL]:
            sides = [value_of(side, delta.unit) for side in (delta.base, delta.other)]
            table.add(text(delta.name), *sides, change_said(delta))
        if len(pair.deltas) > METRICS_OF_MODEL:
            table.add(f"[and {len(pair.deltas) - METRICS_OF_MODEL:,} more metrics]{self.whole}", "", "", "")

    def _said(self, pair: Pair) -> Sentence:
        return what_changed(pair, self.found.head, self.found.base) if not pair.both_built else Sentence()

    def _item(self, pair: Pair) -> str:
        about = said(what_changed(pair, self.found.head, self.found.base), LONGEST_TEXT)
        return f"{look_of(pair).word}: {self._link(pair)}{f' ({about})' if about else ''}"

    def _definition(self, place: int) -> str:
        return said(Sentence(Name(self.found.definitions[place].title), ": ", self.found.definitions[place].said), 200)

    def _unbuilt(self, share: float) -> str:
        names = not_built_names(self.found)
        shown = taken((html(str(name)) for name in names), int(ROOM["unbuilt"] * share))
        total = len(self.found.of(Fate.NOT_BUILT))
        more = [f'<a href="{escape(self.url)}">and {total - len(shown):,} more</a>'] if total > len(shown) else []
        summary = f"{total:,} not built here, {html(str(not_built_word(self.found.base)))}"
        return f"<details><summary>{summary}</summary>{', '.join([*shown, *more])}</details>"

    def _foot(self) -> str:
        found, sides = self.found, []
        for branch, word in ((found.head, "here"), (found.base, text(found.base.name))):
            version = branch.spec.version_id[:7] if branch.spec else ""
            sides.append(f"{word} {code(version)}" if version else f"{word} not deployed")
        moved = found.moved
        far = f" (moved {moved.versions:,} version{'' if moved.versions == 1 else 's'})" if moved.versions else ""
        complete = "" if not found.is_cut else f" · {completeness(found)}"
        whole = f"[whole comparison]{self.whole}"
        return f"<sub>As of {moment_text(found.as_of)} · {', '.join(sides)}{far}{complete} · {whole}</sub>"

    def _link(self, pair: Pair, *, bold: bool = False) -> str:
        branch = self.found.head if pair.head is not None else self.found.base
        url = self.base_url + asset_url_below(branch_url(branch), pair.row.kind, pair.row.asset_id)
        name = text(pair.title)
        return f"[**{name}**]({url})" if bold else f"[{name}]({url})"


def value_of(side: Side, unit: str) -> str:
    """ "4.1 s", or why there is no value."""
    return text(side.text if side.value is None else with_unit(side.value, unit))


def change_said(delta: Delta) -> str:
    """ "+0.0116 **better**, same data"."""
    if delta.change is None:
        return text(delta.word)
    parts = [f"{text(delta.change_text)} **{delta.outcome}**" if delta.counts else text(delta.change_text)]
    if delta.within_noise and delta.noise:
        parts.append(f"within noise ({text(with_unit(delta.noise.size, delta.unit))})")
    elif not delta.counts and delta.outcome != "equal":
        parts.append(text(delta.word))
    if delta.comparability.data == Data.OTHER:
        parts.append(f"other data: {said(delta.comparability.which, LONGEST_TEXT)}")
    else:
        parts.append(text(delta.comparability.words))
    return ", ".join(dict.fromkeys(parts))


def said(sentence: Sentence, most: int) -> str:
    """A sentence with its names escaped and, where it is too long, cut; empty if it says nothing."""
    if not sentence:
        return ""
    return text("".join(isolated(_short(part)) if is_name else part for part, is_name in sentence.parts), most)


def text(value: str, most: int = LONGEST_NAME) -> str:
    """Text as one line of Markdown that says just this."""
    plain = _short(value, most) or "(no name)"
    parts = _REFERS.sub(rf"\1{_PLACE}", _SHA.sub(rf"\1{_PLACE}", plain)).split(_PLACE)
    return UNSEEN.join(part.translate(_ESCAPES) for part in parts)


def code(value: str) -> str:
    """Text as code; a hash stays as it is, as hosts of git link none in code."""
    return f"<code>{value if value.isascii() and value.isalnum() else text(value)}</code>"


def html(value: str) -> str:
    """Text within a line of HTML, where Markdown means nothing."""
    plain = _short(value, LONGEST_TEXT)
    return UNSEEN.join(escape(part) for part in _REFERS.sub(rf"\1{_PLACE}", plain).split(_PLACE))


def _short(value: str, most: int = LONGEST_NAME) -> str:
    plain = _BLANK.sub(" ", value).strip()
    return plain if len(plain) <= most else f"{plain[: most - 1].rstrip()}…"
