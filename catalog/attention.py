"""What needs attention: rows that writes and the background raise and settle, and the one question what needs it now.

A row stands for one kind and one subject. Raised again with the same facts it stays as it is, dismissed or not; with
other facts it begins anew. What is settled is kept for a while as over, so that pages which showed it notice.

What is late needs nobody to raise it: from its `late_at` on it is found by its columns, until the background tells of
it and raises the row.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from django.utils import timezone

from access.errors import BadRequest
from access.identity import Viewer
from access.models import Role
from access.statements import Statement, insertion, moment_of, values_of
from catalog import limits
from catalog.addresses import asset_url_below, branch_url_by_names
from catalog.alarming import ALARMING
from catalog.marks import mark_of
from catalog.models import Asset, Attention, Branch, Instance
from catalog.states import AttentionKind

Json = dict[str, Any]
MOST = 10
SETTLED = "settled"
"""The fingerprint of what was settled: whatever is raised next is something else."""
UNTOLD = "untold"
"""That of something late which was dismissed before the background told of it."""


# what it is about


def of_asset(pk: int) -> str:
    return f"asset:{pk}"


def of_branch(pk: int) -> str:
    return f"branch:{pk}"


def of_alias(branch: int, kind: str, asset_id: str, alias: str) -> str:
    """An alias at an address; without a name, a promotion to there."""
    return f"alias:{branch}/{kind}/{asset_id}/{alias}"


def of_reading(component: int, asset: int) -> str:
    """Who reads an asset."""
    return f"component:{component}/asset:{asset}"


def of_webhook(pk: int) -> str:
    return f"webhook:{pk}"


def of_missed(perimeter: str, project: str, branch: str) -> str:
    return f"missed:{perimeter}/{project}/{branch}"


# raising and settling

KEPT = """
    catalog_attention.fingerprint = excluded.fingerprint
    OR catalog_attention.fingerprint = %(untold)s AND catalog_attention.since = excluded.since
"""
raising = Statement(
    f"""
    {insertion(Attention).replace("%(changed)s", mark_of(Attention))}
    ON CONFLICT (kind, subject) DO UPDATE SET
        perimeter_id = excluded.perimeter_id, branch_id = excluded.branch_id, asset_id = excluded.asset_id,
        since = CASE WHEN {KEPT} THEN catalog_attention.since ELSE excluded.since END,
        until = excluded.until, facts = excluded.facts, fingerprint = excluded.fingerprint,
        dismissed_at = CASE WHEN {KEPT} THEN catalog_attention.dismissed_at END,
        dismissed_by = CASE WHEN {KEPT} THEN catalog_attention.dismissed_by ELSE '' END,
        dismissed_why = CASE WHEN {KEPT} THEN catalog_attention.dismissed_why ELSE '' END,
        user_id = CASE WHEN {KEPT} THEN catalog_attention.user_id END,
        changed = excluded.changed
    WHERE catalog_attention.fingerprint <> excluded.fingerprint OR catalog_attention.facts <> excluded.facts
        OR COALESCE(catalog_attention.until, catalog_attention.since)
            <> COALESCE(excluded.until, catalog_attention.since)
    """
)
settling = Statement(
    f"""
    UPDATE catalog_attention SET until = %(now)s, fingerprint = %(settled)s, changed = {mark_of(Attention)}
    WHERE kind = %(kind)s AND subject {{any subjects}} AND fingerprint <> %(settled)s
    """  # noqa: S608 (the name of a table)
)


def attention(
    kind: AttentionKind,
    subject: str,
    *,
    perimeter_id: int,
    branch_id: int | None = None,
    asset_id: int | None = None,
    since: datetime,
    until: datetime | None = None,
    facts: Json,
    matter: Sequence[str] | None = None,
) -> Attention:
    """A row to be raised. `matter`: the facts by whose change it comes back after it was dismissed; None: all."""
    told = facts if matter is None else {name: facts.get(name) for name in matter}
    text = json.dumps(told, sort_keys=True, default=str)
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return Attention(
        kind=kind,
        subject=subject,
        perimeter_id=perimeter_id,
        branch_id=branch_id,
        asset_id=asset_id,
        since=since,
        until=until,
        facts=facts,
        fingerprint=digest,
    )


def raise_all(rows: Iterable[Attention]) -> None:
    """Raise these, each if it is new or has other facts; one statement on PostgreSQL."""
    raising.each([{**values_of(row), "untold": UNTOLD} for row in rows])


def raise_attention(kind: AttentionKind, subject: str, **about: Any) -> None:
    """Raise one, of what `attention` takes."""
    raise_all([attention(kind, subject, **about)])


def settle_attention(kind: AttentionKind, *subjects: str, now: datetime | None = None) -> None:
    """It is over: nothing of these subjects needs attention any more."""
    settling.run(kind=kind.value, subjects=list(subjects), settled=SETTLED, now=now or timezone.now())


def still_raised(kind: AttentionKind) -> set[str]:
    """The subjects of a kind that were raised and not settled."""
    return set(Attention.objects.filter(kind=kind).exclude(fingerprint=SETTLED).values_list("subject", flat=True))


def settle_readings(asset: Asset, uid: str) -> None:
    """A version may be read again: who reads it needs no attention any more."""
    rows = Attention.objects.filter(asset=asset, kind=AttentionKind.DEPRECATED).exclude(fingerprint=SETTLED)
    if subjects := [row.subject for row in rows if row.facts.get("uid") == uid]:
        settle_attention(AttentionKind.DEPRECATED, *subjects)


def over_by_now() -> list[Attention]:
    """What was raised and is not so any more, though nobody settled it: of what is late, and of deprecated versions."""
    raised = Attention.objects.exclude(fingerprint__in=(SETTLED, UNTOLD))
    late = raised.filter(kind=AttentionKind.LATE, asset__isnull=False, asset__late_told_at=None)
    read = {row: row.facts.get("uid") for row in raised.filter(kind=AttentionKind.DEPRECATED)}
    deprecated = Instance.objects.filter(uid__in=set(read.values()), deprecation__isnull=False)
    known = set(deprecated.values_list("uid", flat=True)) if read else set()
    return [*late, *(row for row, uid in read.items() if uid not in known)]


def forget_over(before: datetime) -> int:
    """Delete what was over before a moment, which no page shows; how many there were."""
    gone, _ = Attention.objects.filter(until__lt=before).delete()
    return int(gone)


# what needs it now


@dataclass(frozen=True)
class Needed:
    """Something that needs attention, with all that a line of it names. Nothing of it is asked for later."""

    kind: AttentionKind
    subject: str
    since: datetime
    until: datetime | None
    facts: Json
    perimeter: str
    perimeter_id: int
    project: str = ""
    branch_id: int | None = None
    branch_key: str = ""
    branch_name: str = ""
    asset_pk: int | None = None
    asset_kind: str = ""
    asset_id: str = ""
    asset_name: str = ""
    usual: int | None = None
    due_at: datetime | None = None
    late_at: datetime | None = None
    dormant_at: datetime | None = None
    pk: int | None = None
    """None of what is late and was not told of yet."""
    dismissed_at: datetime | None = None
    dismissed_by: str = ""
    dismissed_why: str = ""

    @property
    def branch_url(self) -> str:
        """Where the branch is; empty for what belongs to none."""
        return branch_url_by_names(self.perimeter, self.project, self.branch_key) if self.branch_key else ""

    @property
    def asset_url(self) -> str:
        """Where the asset is; empty for what is about none."""
        return asset_url_below(self.branch_url, self.asset_kind, self.asset_id) if self.asset_pk else ""

    @property
    def title(self) -> str:
        """How the asset is called."""
        return self.asset_name or self.asset_id


@dataclass(frozen=True)
class Attended:
    """Some of what needs attention, the newest first, and how much there is of it."""

    rows: list[Needed]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.rows)


NOW = "attention.since <= %(now)s AND (attention.until IS NULL OR attention.until > %(now)s)"
RAISED = f"""
    SELECT attention.id, attention.kind, attention.subject, attention.since, attention.until, attention.perimeter_id,
        attention.branch_id, attention.asset_id
    FROM catalog_attention AS attention
    LEFT JOIN catalog_branch AS branch ON branch.id = attention.branch_id
    LEFT JOIN catalog_asset AS asset ON asset.id = attention.asset_id
    WHERE attention.perimeter_id {{any perimeters}} AND {NOW} AND asset.deleted_at IS NULL
        AND (attention.kind <> '{AttentionKind.DELIVERY.value}' OR attention.perimeter_id {{any administered}})
        AND (attention.kind NOT IN ('{AttentionKind.LATE.value}', '{AttentionKind.UNUSUAL.value}') OR {ALARMING})
"""  # noqa: S608 (names of tables and columns, and no values)
NOT_TOLD_YET = f"""
    SELECT NULL, '{AttentionKind.LATE.value}', 'asset:' || asset.id, asset.late_at, asset.dormant_at,
        project.perimeter_id, asset.branch_id, asset.id
    FROM catalog_asset AS asset
    JOIN catalog_branch AS branch ON branch.id = asset.branch_id
    JOIN catalog_project AS project ON project.id = branch.project_id
    WHERE project.perimeter_id {{any perimeters}} AND asset.deleted_at IS NULL AND asset.late_told_at IS NULL
        AND asset.late_at <= %(now)s AND asset.dormant_at > %(now)s AND {ALARMING}
        AND NOT EXISTS (
            SELECT 1 FROM catalog_attention AS attention
            WHERE attention.kind = '{AttentionKind.LATE.value}' AND attention.subject = 'asset:' || asset.id
            AND attention.since >= asset.late_at AND attention.fingerprint <> '{SETTLED}'
        )
"""  # noqa: S608 (names of tables and columns, and no values)
NAMED = """
    SELECT needed.id, needed.kind, needed.subject, needed.since, needed.until,
        COALESCE(CAST(attention.facts AS text), '{}'), needed.perimeter_id, needed.branch_id, needed.asset_id,
        attention.dismissed_at, COALESCE(attention.dismissed_by, ''), COALESCE(attention.dismissed_why, ''),
        needed.total, project.name, branch.key, branch.git_name, asset.kind, asset.asset_id, asset.name, asset.usual,
        {moment asset.due_at}, {moment asset.late_at}, {moment asset.dormant_at}
    FROM (
        SELECT needed.*, COUNT(*) OVER () AS total FROM needed
        ORDER BY since DESC, kind, subject LIMIT %(most)s OFFSET %(start)s
    ) AS needed
    LEFT JOIN catalog_attention AS attention ON attention.id = needed.id
    LEFT JOIN catalog_branch AS branch ON branch.id = needed.branch_id
    LEFT JOIN catalog_project AS project ON project.id = branch.project_id
    LEFT JOIN catalog_asset AS asset ON asset.id = needed.asset_id
    ORDER BY needed.since DESC, needed.kind, needed.subject
"""
"""What is long of a row is read of those alone that are answered."""


@cache
def _asking(on_branch: bool, dismissed: bool | None, one: bool) -> Statement:
    """What needs attention: on one branch only, what was dismissed or what was not, of one subject only."""
    raised, late = RAISED, NOT_TOLD_YET
    if on_branch:
        raised, late = f"{raised} AND attention.branch_id = %(branch)s", f"{late} AND asset.branch_id = %(branch)s"
    if one:
        raised = f"{raised} AND attention.kind = %(kind)s AND attention.subject = %(subject)s"
        late = f"{late} AND 'asset:' || asset.id = %(subject)s AND '{AttentionKind.LATE.value}' = %(kind)s"
    if dismissed is not None:
        raised = f"{raised} AND attention.dismissed_at IS {'NOT NULL' if dismissed else 'NULL'}"
    parts = [raised] if dismissed else [raised, late]
    return Statement(f"WITH needed AS ({' UNION ALL '.join(parts)}) {NAMED}", by_key=False)


def needs_attention(
    viewer: Viewer,
    *,
    perimeter: str = "",
    branch: Branch | None = None,
    most: int = MOST,
    start: int = 0,
    dismissed: bool | None = False,
    now: datetime | None = None,
) -> Attended:
    """What needs attention of all that `viewer` may see, or of one perimeter or branch, the newest first: one query.

    `dismissed`: what was, in its place; None: both. What of webhooks is for admins is answered only to these.
    """
    places = {"branch": branch.pk} if branch else {}
    return _asked(_asking(bool(branch), dismissed, False), viewer, perimeter, now, most=most, start=start, **places)


def find_needed(viewer: Viewer, kind: str, subject: str, now: datetime | None = None) -> Needed | None:
    """One of them, dismissed or not; None if it is nothing that needs attention now, or that `viewer` may see."""
    asked = _asking(False, None, True)
    found = _asked(asked, viewer, "", now, most=1, start=0, kind=kind, subject=subject).rows
    return found[0] if found else None


def _asked(asked: Statement, viewer: Viewer, perimeter: str, now: datetime | None, **values: Any) -> Attended:
    names = {grant.perimeter.pk: name for name, grant in viewer.grants.items() if perimeter in ("", name)}
    if not names:
        return Attended([], 0)
    administered = [*viewer.perimeter_ids(Role.ADMIN)]
    at = now or timezone.now()
    found = asked.all(perimeters=[*names], administered=administered, now=at, **values)
    return Attended([_needed(row, names) for row in found], found[0][12] if found else 0)


def _needed(row: tuple[Any, ...], names: dict[int, str]) -> Needed:
    pk, kind, subject, since, until, facts, perimeter, branch, asset, dismissed_at, by, why, _, *named = row
    project, key, git_name, asset_kind, asset_id, name, usual, due_at, late_at, dormant_at = named
    begun = moment_of(since)
    assert begun is not None  # it is in the row
    return Needed(
        kind=AttentionKind(kind),
        subject=subject,
        since=begun,
        until=moment_of(until),
        facts=json.loads(facts),
        perimeter=names[perimeter],
        perimeter_id=perimeter,
        project=project or "",
        branch_id=branch,
        branch_key=key or "",
        branch_name=git_name or key or "",
        asset_pk=asset,
        asset_kind=asset_kind or "",
        asset_id=asset_id or "",
        asset_name=name or "",
        usual=usual,
        due_at=moment_of(due_at),
        late_at=moment_of(late_at),
        dormant_at=moment_of(dormant_at),
        pk=pk,
        dismissed_at=moment_of(dismissed_at),
        dismissed_by=by,
        dismissed_why=why,
    )


def dismiss(needed: Needed, *, viewer: Viewer, why: str, now: datetime | None = None) -> Needed:
    """Take it out of the list, for a reason, until its facts change. The caller knows that `viewer` may."""
    why = why.strip()
    if not why:
        raise BadRequest("Say why it needs no attention.", field="why")
    if len(why) > limits.COMMENT_LENGTH or limits.UNSTORABLE.search(why):
        raise BadRequest(f"A reason is text of at most {limits.COMMENT_LENGTH:,} characters.", field="why")
    mine = Attention.objects.visible_to(viewer)
    said: Json = {
        "dismissed_at": now or timezone.now(),
        "dismissed_by": viewer.actor,
        "dismissed_why": why,
        "user": viewer.account,
    }
    new: Json = {
        "perimeter_id": needed.perimeter_id,
        "branch_id": needed.branch_id,
        "asset_id": needed.asset_pk,
        "since": needed.since,
        "until": needed.until,
        "fingerprint": UNTOLD,
    }
    if needed.pk is None:  # late, and not told of yet
        mine.update_or_create(kind=needed.kind, subject=needed.subject, defaults=new | {"facts": {}} | said)
    else:
        mine.filter(pk=needed.pk).update(**said)
    return replace(needed, dismissed_at=said["dismissed_at"], dismissed_by=viewer.actor, dismissed_why=why)


def bring_back(needed: Needed, viewer: Viewer) -> None:
    """Undo that it was dismissed."""
    mine = Attention.objects.visible_to(viewer)
    gone: Json = {"dismissed_at": None, "dismissed_by": "", "dismissed_why": "", "user": None}
    mine.filter(kind=needed.kind, subject=needed.subject).update(**gone)
