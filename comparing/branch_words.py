"""What is said of a comparison of two branches, for its page and for its Markdown. Pure: no database."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from catalog.models import Branch
from comparing.branch_rows import MOST_ASSETS
from comparing.branches import JUDGED, BranchComparison, Moved
from comparing.pairs import Fate, Pair, values_said
from comparing.sentences import Name, Sentence, joined, listed
from obproject.branches import MAIN_BRANCHES

MOST_NAMES = 100
MINUS = "\N{MINUS SIGN}"


class Look(NamedTuple):
    """How a page writes what became of an asset: the word, the colour of its badge, its icon."""

    word: str
    colour: str
    icon: str


LOOKS = {
    Fate.WORSE: Look("worse", "bad", "down"),
    Fate.MIXED: Look("no clear answer", "warn", "differs"),
    Fate.GONE: Look("gone", "warn", "remove"),
    Fate.BETTER: Look("better", "good", "up"),
    Fate.CHANGED: Look("changed", "", "differs"),
    Fate.NEW: Look("new", "good", "ready"),
    Fate.NEWER: Look("newer", "", "differs"),
    Fate.OLDER: Look("older", "", "differs"),
    Fate.NOT_BUILT: Look("not built here", "", "pending"),
    Fate.SAME: Look("same", "", "same"),
}
OTHER_DATA = Look("can't be compared", "", "differs")
IN_NOISE = Look("within noise", "", "noise")
EQUAL = Look("equal", "", "same")


@dataclass(frozen=True)
class Fact:
    """One of the figures at the top. `place`: the id of the section that tells more; empty if none does."""

    label: Sentence
    value: str
    under: Sentence
    place: str = ""


def look_of(pair: Pair) -> Look:
    """A model that is neither better nor worse says why."""
    if pair.fate != Fate.CHANGED or not pair.deltas:
        return LOOKS[pair.fate]
    compared = [delta for delta in pair.deltas if delta.can_compare]
    if not compared:
        return OTHER_DATA
    if all(delta.change == 0 for delta in compared):
        return EQUAL
    if all(delta.change == 0 or delta.within_noise for delta in compared):
        return IN_NOISE
    return LOOKS[Fate.CHANGED]


def is_incomparable(pair: Pair) -> bool:
    return pair.fate == Fate.CHANGED and look_of(pair) == OTHER_DATA


def lede_of(found: BranchComparison) -> Sentence:
    """What is said below the first sentence: why, and what else there is to know of the models."""
    told = found.of(Fate.WORSE, Fate.MIXED, Fate.BETTER)
    parts: list[str | Sentence] = []
    if len(told) == 1 and told[0].because:
        parts.append(Sentence("It is ", told[0].because))
    if len(told) == 1:
        parts.append(found.counted)
    incomparable = sum(map(is_incomparable, found.of(Fate.CHANGED)))
    if incomparable:
        parts.append(f"{incomparable:,} model{_s(incomparable)} can't be compared")
    return joined(parts, " · ")


def facts_of(found: BranchComparison) -> list[Fact]:
    models, data = _models(found), _data(found)
    total, arrows = found.definitions_total, found.arrows
    changes = [Sentence(Name(one.title)) for one in found.definitions]
    drawn = f"+{len(arrows.added):,} {MINUS}{len(arrows.removed):,}"
    return [
        Fact(Sentence("Models"), *models, "models" if found.models else ""),
        Fact(Sentence("Data"), *data, "data" if found.data else ""),
        Fact(
            Sentence("Definitions"),
            f"{total:,} changed" if total else "equal",
            listed(changes, most=2) if changes else Sentence("where both declare an asset"),
            "definitions" if found.definitions else "",
        ),
        Fact(
            Sentence("Lineage"),
            drawn if arrows.differing else "equal",
            Sentence("arrows" if arrows.differing else "no arrow differs"),
            "lineage" if found.shown_arrows else "",
        ),
        Fact(Sentence(Name(found.base.name), " has moved"), _versions(found.moved), _since(found.moved)),
    ]


def _models(found: BranchComparison) -> tuple[str, Sentence]:
    changed = found.of(Fate.CHANGED, model=True)
    incomparable = sum(map(is_incomparable, changed))
    others = [
        (len(found.of(Fate.MIXED)), "without a clear answer"),
        (len(found.of(Fate.NEW, model=True)), "new"),
        (len(found.of(Fate.GONE, model=True)), "gone"),
        (incomparable, "can't be compared"),
        (len(changed) - incomparable, "changed"),
    ]
    said = [f"{count:,} {word}" for count, word in others if count]
    return f"{found.better:,} better", joined([f"{len(found.of(Fate.WORSE)):,} worse", *said], " · ")


def _data(found: BranchComparison) -> tuple[str, Sentence]:
    words = {Fate.NEW: "new", Fate.GONE: "gone", Fate.NEWER: "newer", Fate.OLDER: "older"}
    counts = [(len(found.of(fate, model=False)), word) for fate, word in words.items()]
    said = [f"{count:,} {word}" for count, word in counts if count]
    unbuilt = len(found.of(Fate.NOT_BUILT, model=False))
    under = [Sentence(f"{unbuilt:,} ", not_built_word(found.base))] if unbuilt else []
    rest = joined(said[2:], " · ")
    return ", ".join(said[:2]) or "equal", joined([part for part in (rest, *under) if part], " · ") or Sentence(
        "nothing differs" if not said else "not built on both"
    )


def not_built_word(base: Branch) -> Sentence:
    """ "read from main" where a flow of the head reads it from there, by the rule that its own come first."""
    if base.key in MAIN_BRANCHES:
        return Sentence("read from ", Name(base.name))
    return Sentence("on ", Name(base.name), " only")


def _versions(moved: Moved) -> str:
    least = "at least " if moved.at_least else ""
    return f"{least}{moved.versions:,} version{_s(moved.versions)}"


def _since(moved: Moved) -> Sentence:
    what = Sentence("of ", listed(list(map(Name, moved.assets)), most=1), " ") if moved.assets else ""
    begun = "the first deploy here" if moved.is_since_deploy else "this branch began"
    return Sentence(what, f"since {begun}, {day(moved.since)}")


def day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def moment_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def what_changed(pair: Pair, head: Branch, base: Branch) -> Sentence:
    """What is to be known of an asset that is no model with two versions."""
    parts: list[str | Sentence] = []
    if pair.fate == Fate.GONE:
        version = head.spec.version_id[:7] if head.spec and head.spec.version_id else ""
        deploy = Sentence("deploy ", Name(version)) if version else Sentence("the newest deploy here")
        parts.append(Sentence(deploy, " no longer defines it"))
    if pair.fate == Fate.NEW and not pair.head_ref:
        parts.append("defined, and not built yet")
    values = values_said(pair)
    if pair.both_built:
        parts.append(_made(pair, base))
    parts += [part for part in (values, pair.renamed, pair.unsettled) if part]
    return joined(parts, "; ")


def _made(pair: Pair, base: Branch) -> Sentence:
    """ "made here on 28 Nov 2026, on main on 22 Nov 2026"."""
    assert pair.head is not None
    assert pair.base is not None
    there = Sentence("on ", Name(base.name), f" on {day(pair.base.made_at)}")
    return Sentence(f"made here on {day(pair.head.made_at)}, ", there)


def not_built_names(found: BranchComparison) -> list[Sentence]:
    """ "Customers (main's v48)"."""
    said = []
    for pair in found.of(Fate.NOT_BUILT)[:MOST_NAMES]:
        ref = Sentence(" (", Name(found.base.name), f"'s {pair.base_ref}") if pair.base_ref else Sentence(" (not built")
        said.append(Sentence(Name(pair.title), ref, ")", Sentence("; ", pair.unsettled) if pair.unsettled else ""))
    return said


def side_said(branch: Branch, word: str | Sentence) -> Sentence:
    """ "here a1b2c3d, deployed on 29 Nov 2026 by ci"; "main, never deployed"."""
    spec = branch.spec
    if spec is None:
        return Sentence(word, ": not deployed")
    version = Sentence(" ", Name(spec.version_id[:7])) if spec.version_id else Sentence("")
    return Sentence(word, version, f", deployed {moment_text(spec.at)} by ", Name(spec.actor))


def completeness(found: BranchComparison) -> str:
    if found.is_cut:
        return f"not complete: only the first {MOST_ASSETS:,} assets of a branch, by kind and id, were looked at"
    return "complete: every asset of both branches was looked at"


def limits_said(found: BranchComparison) -> list[str]:
    """What was not looked up, because there is too much of it."""
    told = [pair for pair in found.pairs if pair.deltas]
    said = []
    if len(told) > JUDGED:
        said.append(
            f"Of the first {JUDGED} models, the worst first, it was looked up what they were measured on, and what "
            f"their noise is; of {len(told) - JUDGED:,} more it was not."
        )
    if any(row is not None and row.is_too_long for pair in told for row in (pair.base, pair.head)):
        said.append("Annotations of some versions are too long to be compared here.")
    if found.arrows.is_cut:
        said.append("Only the arrows that were used last are compared, as there are too many.")
    if found.arrows.hidden:
        one = found.arrows.hidden == 1
        said.append(f"{found.arrows.hidden:,} more arrow{'' if one else 's'} that differ lead to what you may not see.")
    return said


def _s(count: int) -> str:
    return "" if count == 1 else "s"
