"""The events of the audit page: which kinds there are, for whom, and what each of them says."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from access.identity import Viewer
from access.models import AuditEntry, Role
from catalog.addresses import alias_url, asset_url, asset_url_by_id, branch_url, instance_url, request_url
from catalog.models import (
    AliasMove,
    Approval,
    Branch,
    BranchName,
    DefinitionRevision,
    Deletion,
    Deprecation,
    GateRevision,
    GateVerdict,
    NewNormal,
    PromotionRequest,
    PropertyEdit,
    SpecVersion,
)
from catalog.shown.times import minute
from catalog.states import Outcome, RequestState
from catalog.wire.shapes import time_shape

Json = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """One thing that somebody did. `subject` is what they did it to, and `url` its page, if it has one."""

    kind: str
    pk: int
    at: datetime
    by: str
    what: str
    subject: str = ""
    url: str = ""
    detail: str = ""
    comment: str = ""
    look: str = ""
    branch: Branch | None = None
    uids: tuple[str, ...] = ()
    """Of an alias: where it was, and where it was moved to. Their versions are told once all are known."""

    @property
    def branch_url(self) -> str:
        return branch_url(self.branch) if self.branch else ""

    @property
    def place(self) -> tuple[int, int]:
        return RANKS[self.kind], -self.pk

    def with_refs(self, refs: dict[str, str]) -> "Event":
        if not self.uids:
            return self
        steps = [refs.get(uid, uid) if uid else "nothing" for uid in self.uids]
        return replace(self, detail=" → ".join(steps))

    @property
    def shape(self) -> Json:
        project = self.branch.project.name if self.branch else None
        return {
            "at": time_shape(self.at),
            "kind": self.kind,
            "what": self.what,
            "subject": self.subject,
            "detail": self.detail,
            "comment": self.comment,
            "by": self.by,
            "project": project,
            "branch": self.branch.key if self.branch else None,
            "url": self.url or None,
        }


@dataclass(frozen=True)
class Source:
    """A kind of event: the label of its filter, its rows for somebody, and what each of them says.

    `at` and `actor` are the columns that say when and who; `project` leads to the name of the project, empty where
    there is none.
    """

    label: str
    rows: Callable[[Viewer], QuerySet[Any]]
    event: Callable[[Any], Event]
    project: str = "branch__project__name"
    perimeter: str = "branch__project__perimeter"
    at: str = "at"
    actor: str = "actor"


def _of_address(kind: str, row: Any, what: str, **more: Any) -> Event:
    """An event that names what it is about by its address."""
    subject = f"{_alias(row)}{row.asset_id}" if hasattr(row, "alias") else row.asset_id
    url = asset_url_by_id(row.branch, row.kind, row.asset_id)
    fixed: Json = {"subject": subject, "url": url, "branch": row.branch, "by": row.actor, "at": row.at}
    return Event(kind, row.pk, what=what, **(fixed | more))


def _alias(row: Any) -> str:
    return f"@{row.alias} of " if row.alias else ""


def _moved(row: AliasMove) -> Event:
    asset, verdict = row.asset, row.verdict
    outcome = Outcome(verdict.outcome) if verdict else Outcome.PASSED
    what = "deleted" if not row.to_uid else MOVES[outcome][0] if row.from_uid or outcome != Outcome.PASSED else "set"
    return Event(
        "moves",
        row.pk,
        row.at,
        row.actor,
        what,
        f"@{row.name} of {asset.asset_id}",
        alias_url(asset, row.name),
        comment=verdict.comment if verdict else "",
        look=MOVES[outcome][1],
        branch=asset.branch,
        uids=(row.from_uid, row.to_uid),
    )


MOVES = {
    Outcome.PASSED: ("moved", ""),
    Outcome.REFUSED: ("refused", "bad"),
    Outcome.ROLLBACK: ("rolled back", ""),
    Outcome.OVERRIDE: ("overridden", "warn"),
    Outcome.REPLAY: ("replayed", ""),
}


def _refused(row: GateVerdict) -> Event:
    times = f"{row.count} times" if row.count > 1 else ""
    refused = [rule.get("rule", "") for rule in row.rules if not rule.get("passes", True)]
    detail = "; ".join(filter(None, (", ".join(refused), times)))
    return _of_address("refusals", row, "refused", detail=detail, comment=row.comment, look="bad")


def _promoted(row: GateVerdict) -> Event:
    word, look = MOVES[Outcome(row.outcome)]
    copy = row.copy
    url = instance_url(copy.asset, copy) if copy else asset_url_by_id(row.branch, row.kind, row.asset_id)
    what = "promoted" if row.outcome == Outcome.PASSED else word
    detail = f"as {copy.ref}" if copy else ""
    return _of_address("promotions", row, what, url=url, detail=detail, comment=row.comment, look=look)


def _asked(row: PromotionRequest) -> Event:
    return _of_address("requests", row, "asked", url=request_url(row), detail=row.instance.ref, comment=row.comment)


def _closed(row: PromotionRequest) -> Event:
    state = RequestState(row.state)
    look = {RequestState.DONE: "good", RequestState.REJECTED: "bad"}.get(state, "")
    how: Json = {"at": row.closed_at, "by": row.closed_by, "comment": row.reason, "look": look}
    return _of_address("decisions", row, state.label, url=request_url(row), detail=row.instance.ref, **how)


def _approved(row: Approval) -> Event:
    request = row.request
    subject = f"{_alias(request)}{request.asset_id}"
    more: Json = {"detail": request.instance.ref, "comment": row.comment, "look": "good", "branch": request.branch}
    return Event("approvals", row.pk, row.at, row.actor, "approved", subject, request_url(request), **more)


def _deprecated(row: Deprecation) -> Event:
    asset, instance = row.instance.asset, row.instance
    what, look = ("taken back", "") if row.undone else ("deprecated", "warn")
    subject = f"{asset.asset_id} {instance.ref}"
    more: Json = {"comment": row.reason, "look": look, "branch": asset.branch}
    return Event("deprecations", row.pk, row.at, row.actor, what, subject, instance_url(asset, instance), **more)


def _deleted(row: Deletion) -> Event:
    asset = row.asset
    what, look = ("recovered", "good") if row.recovered else ("deleted", "bad")
    url = "" if asset.deleted_at else asset_url(asset)
    more: Json = {"comment": row.reason, "look": look, "branch": asset.branch}
    return Event("deletions", row.pk, row.at, row.actor, what, asset.asset_id, url, **more)


def _normal(row: NewNormal) -> Event:
    asset = row.asset
    more: Json = {"comment": row.reason, "branch": asset.branch}
    detail = f"since {minute(row.since)}"
    return Event("normals", row.pk, row.at, row.actor, "new normal", asset.asset_id, asset_url(asset), detail, **more)


def _gated(row: GateRevision) -> Event:
    what = "gates declared" if row.gates else "gates removed"
    names = ", ".join(name if name in ("*", "into branch") else f"@{name}" for name in sorted(row.gates))
    return _of_address("gates", row, what, detail=names, look="" if row.gates else "warn")


def _deployed(row: SpecVersion) -> Event:
    what, branch = ("deployed" if row.document else "deleted"), row.branch
    url = branch_url(branch)
    return Event("deploys", row.pk, row.at, row.actor, what, branch.name, url, row.version_id, branch=branch)


def _declared(row: DefinitionRevision) -> Event:
    asset = row.asset
    url = asset_url(asset)
    return Event("definitions", row.pk, row.at, row.actor, "declared", asset.asset_id, url, branch=asset.branch)


def _edited(row: PropertyEdit) -> Event:
    asset = row.asset
    what = "given back" if row.new_value is None else "edited"
    detail = f"{_value(row.old_value)} → {_value(row.new_value)}"
    subject = f"{row.key} of {asset.asset_id}"
    return Event("edits", row.pk, row.at, row.actor, what, subject, asset_url(asset), detail, branch=asset.branch)


def _value(value: Any) -> str:
    return "nothing" if value is None else str(value)


def _named(row: BranchName) -> Event:
    branch = row.branch
    return Event("names", row.pk, row.at, row.actor, "named", row.git_name, branch_url(branch), branch=branch)


def _logged(row: AuditEntry) -> Event:
    told = ", ".join(f"{name}: {value}" for name, value in row.detail.items()) if isinstance(row.detail, dict) else ""
    return Event("access", row.pk, row.at, row.actor_name, row.action, row.target, detail=told)


IN_BRANCH = ("branch__project__perimeter",)
OF_ASSET = {"project": "asset__branch__project__name", "perimeter": "asset__branch__project__perimeter"}
OF_INSTANCE = {name: f"instance__{way}" for name, way in OF_ASSET.items()}
OF_REQUEST = {"project": "request__branch__project__name", "perimeter": "request__branch__project__perimeter"}
ON_ASSET = ("asset__branch__project__perimeter",)

SOURCES = {
    "moves": Source(
        "alias moves",
        lambda viewer: AliasMove.objects.visible_to(viewer).select_related(*ON_ASSET, "verdict"),
        _moved,
        **OF_ASSET,
    ),
    "refusals": Source(
        "refusals",
        lambda viewer: (
            GateVerdict.objects.visible_to(viewer).filter(outcome=Outcome.REFUSED).select_related(*IN_BRANCH)
        ),
        _refused,
    ),
    "promotions": Source(
        "promotions",
        lambda viewer: (
            GateVerdict.objects.visible_to(viewer)
            .filter(alias="")
            .exclude(outcome=Outcome.REFUSED)
            .select_related(*IN_BRANCH, "copy__asset__branch__project__perimeter")
        ),
        _promoted,
    ),
    "requests": Source(
        "requests",
        lambda viewer: PromotionRequest.objects.visible_to(viewer).select_related(*IN_BRANCH, "instance"),
        _asked,
    ),
    "approvals": Source(
        "approvals",
        lambda viewer: Approval.objects.visible_to(viewer).select_related(
            *(f"request__{way}" for way in IN_BRANCH), "request__instance"
        ),
        _approved,
        **OF_REQUEST,
    ),
    "decisions": Source(
        "ends of requests",
        lambda viewer: (
            PromotionRequest.objects.visible_to(viewer)
            .filter(closed_at__isnull=False)
            .select_related(*IN_BRANCH, "instance")
        ),
        _closed,
        at="closed_at",
        actor="closed_by",
    ),
    "deprecations": Source(
        "deprecations",
        lambda viewer: Deprecation.objects.visible_to(viewer).select_related(*(f"instance__{way}" for way in ON_ASSET)),
        _deprecated,
        **OF_INSTANCE,
    ),
    "deletions": Source(
        "deletions", lambda viewer: Deletion.objects.visible_to(viewer).select_related(*ON_ASSET), _deleted, **OF_ASSET
    ),
    "normals": Source(
        "new normals",
        lambda viewer: NewNormal.objects.visible_to(viewer).select_related(*ON_ASSET),
        _normal,
        **OF_ASSET,
    ),
    "gates": Source("gates", lambda viewer: GateRevision.objects.visible_to(viewer).select_related(*IN_BRANCH), _gated),
    "deploys": Source(
        "deploys",
        lambda viewer: SpecVersion.objects.visible_to(viewer).select_related(*IN_BRANCH),
        _deployed,
    ),
    "definitions": Source(
        "definitions",
        lambda viewer: DefinitionRevision.objects.visible_to(viewer).select_related(*ON_ASSET),
        _declared,
        **OF_ASSET,
    ),
    "edits": Source(
        "edited properties",
        lambda viewer: PropertyEdit.objects.visible_to(viewer).select_related(*ON_ASSET),
        _edited,
        **OF_ASSET,
    ),
    "names": Source(
        "names of branches", lambda viewer: BranchName.objects.visible_to(viewer).select_related(*IN_BRANCH), _named
    ),
    "access": Source(
        "members and tokens",
        lambda viewer: AuditEntry.objects.visible_to(viewer, Role.ADMIN),
        _logged,
        project="",
        perimeter="perimeter_name",
        actor="actor_name",
    ),
}
"""By their names in the query."""
RANKS = {name: rank for rank, name in enumerate(SOURCES)}
FOR_ADMINS = ("access",)
