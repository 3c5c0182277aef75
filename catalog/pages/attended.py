"""What needs attention, as lines of a list: on home, the page of a perimeter, the overview of a branch, and a page of
all of it. What one late asset is behind is one line, however much is late with it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from access.identity import Viewer
from access.models import Role
from catalog.addresses import branch_url, component_url_below, impact_url_below, request_url, webhook_url
from catalog.approvals import Standing, asked_of
from catalog.attention import Attended, Needed, needs_attention
from catalog.freshness import words
from catalog.models import Branch, Component
from catalog.pagekit.freshness import Here, Part, cause_parts, joined, maker_url, moment_in
from catalog.querysets import LATEST_FIRST
from catalog.shown.times import span
from catalog.states import AttentionKind
from catalog.wire.shapes import time_shape

Json = dict[str, Any]
SHOWN = 8
"""So many lines are on home and on an overview."""
LOOKED_AT = 300
"""So many rows are asked for to make these lines of: what is late together is one."""
NAMED = 3
"""So many are named of what is late with something, or of what others are behind."""
MANY = 20
"""From so many late ones on they are one line, where the list is short."""
LOOKS = {
    AttentionKind.LATE: ("late", "bad", "late"),
    AttentionKind.UNUSUAL: ("unusual", "warn", "unusual"),
    AttentionKind.REFUSED: ("refused", "bad", "failed"),
    AttentionKind.DELIVERY: ("webhook", "warn", "hook"),
    AttentionKind.MISSED: ("missed", "warn", "warning"),
    AttentionKind.DEPRECATED: ("deprecated", "warn", "deprecated"),
}
"""The word, the colour and the icon of each kind."""


@dataclass(frozen=True)
class Action:
    """What can be done about it. `about` completes the label for who hears it alone."""

    label: str
    url: str
    about: str = ""


@dataclass(frozen=True)
class AttentionLine:
    """One line: what is so, since when, where, and what to do.

    `rows` are what it is made of, which are dismissed together; an approval that is asked of the viewer has none.
    """

    word: str
    colour: str
    icon: str
    said: list[Part]
    why: list[Part]
    at: datetime
    perimeter: str
    project: str
    branch: str
    branch_url: str
    actions: list[Action] = field(default_factory=list)
    rows: Sequence[Needed] = ()
    may_dismiss: bool = False
    since: str = ""
    """What began at that time, before the time."""

    @property
    def subjects(self) -> list[str]:
        """What a form names it by."""
        return [f"{row.kind.value} {row.subject}" for row in self.rows]

    @property
    def dismissed(self) -> Needed | None:
        """Who dismissed it and why, if somebody did."""
        return next((row for row in self.rows if row.dismissed_at), None)

    @property
    def shape(self) -> Json:
        return {
            "kind": self.word,
            "sentence": text_of(self.said),
            "why": text_of(self.why),
            "since": time_shape(self.at),
            "perimeter": self.perimeter,
            "project": self.project or None,
            "branch": self.branch or None,
            "links": [{"label": action.label, "url": action.url} for action in self.actions],
            "about": [_row_shape(row) for row in self.rows],
        }


@dataclass(frozen=True)
class AttentionList:
    """The lines that are shown, how many more there are, and how much all of it is."""

    lines: Sequence[AttentionLine] = ()
    total: int = 0
    more: int = 0
    url: str = ""
    name_perimeters: bool = False
    name_branches: bool = True


def attention_shape(viewer: Viewer, perimeter: str = "", branch: Branch | None = None) -> list[Json]:
    """The same for twins, without what waits for the viewer: one query."""
    found = needs_attention(viewer, perimeter=perimeter, branch=branch, most=LOOKED_AT)
    return [line.shape for line in lines_of(viewer, found, few=True)[:SHOWN]]


def text_of(parts: Iterable[Part]) -> str:
    return "".join(f"@{part.text}" if part.look == "alias" else part.text or _moment(part.at) for part in parts)


def _moment(at: datetime | None) -> str:
    return words.moment(at) if at else ""


def _row_shape(row: Needed) -> Json:
    return {
        "subject": row.subject,
        "since": time_shape(row.since),
        "until": time_shape(row.until),
        "asset": {"kind": row.asset_kind, "id": row.asset_id, "url": row.asset_url} if row.asset_pk else None,
        "facts": row.facts,
        "dismissed": {"at": time_shape(row.dismissed_at), "by": row.dismissed_by, "why": row.dismissed_why}
        if row.dismissed_at
        else None,
    }


def attention_of(
    viewer: Viewer, perimeter: str = "", branch: Branch | None = None, *, url: str = "", name_perimeters: bool = False
) -> AttentionList:
    """The first few lines, of all that the viewer may see, or of a perimeter or a branch: two queries, or one where
    nobody is there in person, who could approve."""
    asked = asked_lines(viewer, perimeter, branch)
    found = needs_attention(viewer, perimeter=perimeter, branch=branch, most=LOOKED_AT)
    lines = [*asked, *lines_of(viewer, found, few=True)]
    total = len(asked) + found.total
    shown = lines[:SHOWN]
    more = len(lines) - len(shown) + found.more  # what was not looked at may be lines of their own
    return AttentionList(shown, total, more, url, name_perimeters, name_branches=branch is None)


def asked_lines(viewer: Viewer, perimeter: str = "", branch: Branch | None = None) -> list[AttentionLine]:
    """What waits for the viewer's approval."""
    return [_asked(standing) for standing in _asked_of(viewer, perimeter, branch)]


def _asked_of(viewer: Viewer, perimeter: str, branch: Branch | None) -> Iterator[Standing]:
    for one in asked_of(viewer):
        here = one.request.branch
        if perimeter in ("", here.project.perimeter.name) and (branch is None or here.pk == branch.pk):
            yield one


def _asked(standing: Standing) -> AttentionLine:
    request: Any = standing.request
    instance, here, url = request.instance, request.branch, request_url(request)
    title = Part(str(instance.asset.title), url, look="title")
    said = [Part(str(request.actor), look="name"), Part(" asks to ")]
    if request.alias:
        said += [Part("move "), Part(request.alias, look="alias"), Part(" of "), title, Part(f" to {instance.ref}")]
    else:
        said += [Part(f"promote {instance.ref} of "), title]
    return AttentionLine(
        "asked of you",
        "asked",
        "ask",
        said,
        [],
        request.at,
        here.project.perimeter.name,
        here.project.name,
        here.name,
        branch_url(here),
        [Action("Look and decide", url, f"about {instance.ref} of {instance.asset.title}")],
    )


def lines_of(viewer: Viewer, found: Attended, *, few: bool = False, now: datetime | None = None) -> list[AttentionLine]:
    """The lines of what was found, in its order. `few`: what many are late behind is one line, too."""
    at = now or timezone.now()
    groups = _groups([row for row in found.rows if _is_late(row)])
    late = [row for rows in groups for row in rows]
    as_one = few and len(late) >= MANY and len(groups) > 1
    lines, begun = [], False
    first = {id(rows[0]): rows for rows in groups}
    for row in found.rows:
        if not _is_late(row):
            lines.append(_line(viewer, row, at))
        elif as_one and not begun:
            lines.append(_many(viewer, groups, found.total - len(found.rows)))
            begun = True
        elif not as_one and id(row) in first:
            lines.append(_late(viewer, first[id(row)], at))
    return lines


def _is_late(row: Needed) -> bool:
    return row.kind == AttentionKind.LATE and row.asset_pk is not None


def _groups(rows: list[Needed]) -> list[list[Needed]]:
    """What is late, with what is late behind it after it. Where what others are behind is not in the list, the one that
    is late longest stands for it."""
    roots: dict[Any, list[Needed]] = {}
    known = {row.asset_pk for row in rows}
    for row in sorted(rows, key=lambda one: (one.due_at or one.since, one.subject)):
        given = _cause(row).get("input") or {}
        behind = given.get("asset")
        root = behind if behind in known or behind is not None else row.asset_pk
        group = roots.setdefault(root, [])
        if row.asset_pk == root:
            group.insert(0, row)
        else:
            group.append(row)
    return list(roots.values())


def _cause(row: Needed) -> Json:
    cause: Json = row.facts.get("cause") or {}
    return cause


def _here(row: Needed) -> Here:
    return Here(row.perimeter, row.project, row.branch_key)


def _about(viewer: Viewer, row: Needed, rows: Sequence[Needed] | None = None) -> Json:
    """What each line has: where it is, and what it is made of."""
    word, colour, icon = LOOKS[row.kind]
    names = [name for name in (row.branch_name, row.branch_key) if name]
    return {
        "word": word,
        "colour": colour,
        "icon": icon,
        "at": row.since,
        "perimeter": row.perimeter,
        "project": row.project or row.facts.get("project", ""),
        "branch": row.branch_name or row.facts.get("branch", ""),
        "branch_url": row.branch_url,
        "rows": [row] if rows is None else rows,
        "may_dismiss": viewer.may(row.perimeter, Role.EDITOR, names),
    }


def _title(row: Needed) -> Part:
    return Part(row.title, row.asset_url, look="title")


def _late(viewer: Viewer, rows: Sequence[Needed], now: datetime) -> AttentionLine:
    """One that is late, with those that are late behind it."""
    row, behind = rows[0], rows[1:]
    cause, here = _cause(row), _here(row)
    by = span(row.due_at or row.since, now)
    said = [_title(row), Part(f" is {by} late")]
    if behind:
        said += [Part(", and with it "), *_listed(behind)]
    usually = [Part(f"usually {words.every(row.usual)}")] if row.usual else []
    actions = []
    if runs := maker_url(cause, here):
        actions.append(Action("Runs", runs, f"of {cause['maker']}"))
    actions.append(Action("Impact", impact_url_below(row.asset_url), f"of {row.title}"))
    why = joined(cause_parts(cause, here, now), usually)
    about = _about(viewer, row, rows) | {"since": "called late "}
    return AttentionLine(said=said, why=why, actions=actions, **about)


def _listed(rows: Sequence[Needed]) -> list[Part]:
    """A few of them by name, and how many more there are."""
    named, more = rows[:NAMED], len(rows) - len(rows[:NAMED])
    parts: list[Part] = []
    for place, row in enumerate(named):
        last = place == len(named) - 1 and not more
        if place:
            parts.append(Part(" and " if last else ", "))
        parts.append(Part(row.title, row.asset_url, look="name"))
    return [*parts, Part(f" and {more:,} more")] if more else parts


def _many(viewer: Viewer, groups: Sequence[Sequence[Needed]], unseen: int) -> AttentionLine:
    """What is late, and what most of it is behind. `unseen`: how much of the list was not looked at."""
    largest = sorted(groups, key=len, reverse=True)
    count = sum(map(len, groups)) - len(groups)
    beyond = "At least " if unseen else ""
    assets = "1 asset is" if count == 1 else f"{count:,} assets are"
    said = [Part(f"{beyond}{assets} late behind {len(groups):,} that {'are' if len(groups) > 1 else 'is'}: ")]
    if not count:
        said = [Part(f"{beyond}{len(groups):,} assets are late: ")]
    for place, rows in enumerate(largest[:NAMED]):
        said += [Part(", ")] if place else []
        said += [Part(rows[0].title, rows[0].asset_url, look="name")]
        said += [Part(f" ({len(rows) - 1:,})")] if len(rows) > 1 else []
    if len(groups) > NAMED:
        said.append(Part(f" and {len(groups) - NAMED:,} more"))
    first = largest[0][0]
    why = [Part("the most upstream are named")] if count else []
    about, actions = _about(viewer, first) | {"since": "called late "}, []
    if len({row.branch_url for rows in groups for row in rows}) == 1:
        actions.append(Action("All late ones", f"{first.branch_url}/assets?late=yes&sort={LATEST_FIRST}"))
    else:
        about |= {"project": "", "branch": "", "branch_url": ""}
    return AttentionLine(said=said, why=why, actions=actions, **about)


def _line(viewer: Viewer, row: Needed, now: datetime) -> AttentionLine:
    return LINES[row.kind](viewer, row, now)


def _unusual(viewer: Viewer, row: Needed, now: datetime) -> AttentionLine:
    reasons: dict[str, str] = row.facts.get("reasons") or {}
    number = row.facts.get("number")
    ref = f"v{number}" if number else ""
    url = f"{row.asset_url}/{ref}" if ref else row.asset_url
    said = [_title(row), *([Part(" "), Part(ref, url, look="name")] if ref else []), Part(": ")]
    for place, (name, why) in enumerate(list(reasons.items())[:NAMED]):
        said += [Part("; ")] if place else []
        said += [Part(name, look="code"), Part(f" is {why}", look="name")]
    if len(reasons) > NAMED:
        said.append(Part(f"; and {len(reasons) - NAMED} more"))
    actions = [Action("Chart", f"{row.asset_url}/metrics", f"of {row.title}")]
    about = _about(viewer, row)
    if about["may_dismiss"]:
        actions.append(Action("New normal…", f"{row.asset_url}/normal", f"of {row.title}"))
    return AttentionLine(said=said, why=[], actions=actions, **about)


def _refused(viewer: Viewer, row: Needed, now: datetime) -> AttentionLine:
    facts, number = row.facts, row.facts.get("version")
    alias, ref = facts.get("alias") or "", f"v{number}" if number else ""
    name = _title(row) if row.asset_pk else Part(row.subject.rpartition("/")[0].rpartition("/")[2], look="name")
    said = [name, *([Part(f" {ref}")] if ref else [])]
    said += [Part(" did not become "), Part(alias, look="alias")] if alias else [Part(" was not promoted")]
    told = [str(one) for one in facts.get("said") or facts.get("rules") or ()]
    if told:
        said += [Part(": "), Part(told[0].removesuffix("."), look="name")]
        said += [Part(f"; and {len(told) - 1} more")] if len(told) > 1 else []
    times = facts.get("count") or 1
    why = [Part(f"{times} times, "), Part("last by ")] if times > 1 else [Part("by ")]
    url = f"{row.asset_url}/aliases/{alias}" if alias and row.asset_pk else row.asset_url or row.branch_url
    actions = [Action("Rules", url, f"of {alias or row.title}")]
    return AttentionLine(
        said=said,
        why=[*why, Part(str(facts.get("actor") or "somebody"), look="name")],
        actions=actions,
        **_about(viewer, row),
    )


def _deprecated(viewer: Viewer, row: Needed, now: datetime) -> AttentionLine:
    facts, number = row.facts, row.facts.get("version")
    kind, name = facts.get("component_kind", Component.Kind.FLOW.value), str(facts.get("component", ""))
    here = Here(row.perimeter, facts.get("component_project") or row.project, row.branch_key)
    who = component_url_below(here.url, kind, name) if here.project == row.project else ""
    said = [Part(name, who, look="code"), Part(" still reads "), _title(row)]
    said += [Part(f" v{number}")] if number else []
    said.append(Part(", deprecated "))
    if at := moment_in(facts.get("deprecated_at")):
        said += [Part(at=at)]
    said += [Part(" by "), Part(str(facts.get("by", "somebody")), look="name")]
    if facts.get("reason"):
        said += [Part(": “"), Part(str(facts["reason"]), look="name"), Part("”")]
    about = _about(viewer, row)
    if read := moment_in(facts.get("last_read")):
        about |= {"since": "last read ", "at": read}
    actions = [Action("Used by", f"{row.asset_url}#used-by", f"of {row.title}")]
    return AttentionLine(said=said, why=[], actions=actions, **about)


def _delivery(viewer: Viewer, row: Needed, now: datetime) -> AttentionLine:
    facts = row.facts
    said = [Part(str(facts.get("name", "A webhook")), look="code"), Part(": ")]
    said.append(Part(str(facts.get("why", "nothing can be delivered.")), look="name"))
    url = webhook_url(row.perimeter, facts["webhook"]) if "webhook" in facts else ""
    return AttentionLine(said=said, why=[], actions=[Action("Log", url)] if url else [], **_about(viewer, row))


def _missed(viewer: Viewer, row: Needed, now: datetime) -> AttentionLine:
    facts = row.facts
    waiting, stuck = facts.get("waiting", 0), facts.get("stuck", 0)
    count = waiting + stuck
    said = [Part(f"{count:,} write{'' if count == 1 else 's'} of ")]
    said += [Part(str(facts.get("task", "tasks")), look="code")]
    said.append(Part(" and others" if count > 1 else ""))
    said.append(Part(" did not reach the catalogue"))
    if stuck:
        said += [Part(f", and {stuck:,} can't be brought in: "), Part(str(facts.get("error", "")), look="name")]
        why = []
    else:
        why = [Part("kept with the run, and brought in at the next pass")]
    return AttentionLine(said=said, why=why, **_about(viewer, row))


def _of_branch(viewer: Viewer, row: Needed, now: datetime) -> AttentionLine:
    """Something late that is no asset: a branch on which nothing comes any more."""
    if row.asset_pk is not None:
        return _late(viewer, [row], now)
    at = moment_in(row.facts.get("refreshed_at")) or row.since
    said = [Part("Nothing has been written on "), Part(row.branch_name, row.branch_url, look="code"), Part(" for ")]
    said.append(Part(at=at, look="length"))
    why = [Part("one line for the branch, and not one for each asset that is late on it")]
    about = _about(viewer, row) | {"word": "dormant", "colour": "", "icon": "dormant"}
    return AttentionLine(said=said, why=why, **about)


LINES = {
    AttentionKind.LATE: _of_branch,
    AttentionKind.UNUSUAL: _unusual,
    AttentionKind.REFUSED: _refused,
    AttentionKind.DELIVERY: _delivery,
    AttentionKind.MISSED: _missed,
    AttentionKind.DEPRECATED: _deprecated,
}
