"""What messages say: for each kind of event a body, with a sentence in plain words, for the outbox.

Each function is asked by the write of its event, in its transaction and under the lock of its asset, so that the
messages of an asset are in the order of its events. It answers the messages to be kept: none where nobody listens,
which costs no query. All bodies have the same keys, which are null or empty where they say nothing, and
those of their kind.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from catalog.addresses import asset_url_by_id, branch_url, request_url
from catalog.freshness.words import late_by
from catalog.gates.judgement import Ruling
from catalog.models import Asset, Branch, Deprecation, Instance, Message, PromotionRequest
from catalog.outbox import is_heard, message
from catalog.querysets import PROMOTED_FROM
from catalog.states import EventKind, Kind, Outcome, RequestState, State

Json = dict[str, Any]
VOID = {
    RequestState.REJECTED: "was rejected",
    RequestState.WITHDRAWN: "was withdrawn",
    RequestState.OUTDATED: "is outdated",
}


def body_of(
    branch: Branch,
    sentence: str,
    *,
    asset: Asset | None = None,
    version: Json | None = None,
    by: str = "",
    **facts: Any,
) -> Json:
    """The body of a message. `branch` comes with its project; the asset need not come with its branch."""
    project = branch.project
    return {
        "perimeter": project.perimeter.name,
        "project": project.name,
        "branch": {"name": branch.name, "key": branch.key, "url": whole(branch_url(branch))},
        "kind": Kind(asset.kind).value if asset else "",
        "asset": _asset(branch, asset.kind, asset.asset_id, asset.title) if asset else None,
        "version": version,
        "by": by,
        "sentence": sentence,
        **facts,
    }


def whole(address: str) -> str:
    """An address of this site with its scheme and host, if the site knows them (ASSETSITE_PUBLIC_URL)."""
    return f"{settings.PUBLIC_ADDRESS.origin}{address}" if settings.PUBLIC_ADDRESS else address


def version_of(branch: Branch, asset: Asset, instance: Instance | None) -> Json:
    """A version as messages name it; None: the definition, which has no number."""
    url = asset_url_by_id(branch, asset.kind, asset.asset_id)
    if instance is None:
        return {"id": asset.definition_uid, "number": None, "url": whole(url)}
    return {"id": instance.uid, "number": instance.number, "url": whole(f"{url}/{instance.ref}")}


# versions


def registered(instance: Instance) -> list[Message]:
    """A new version: that it is there, and at once that it is ready, or that it failed, if it is or has."""
    branch = instance.asset.branch
    if not branch.project.heard:
        return []
    asset = instance.asset
    copied = instance.annotations.get(PROMOTED_FROM) or ""
    done = f"was promoted into {branch.name}" if copied else "was registered"
    later = "" if instance.state != State.PENDING else ", and is not ready yet"
    facts: Json = {
        "state": State(instance.state).value,
        "producer": {"kind": instance.producer_kind, "id": instance.producer_id},
        "promoted_from": copied,
    }
    about = _Version(instance, instance.created_at)
    return [
        *about.told(EventKind.REGISTERED, f"{_named(instance, asset)} {done}{later}.", instance.actor, **facts),
        *settled(instance, asset, instance.actor),
    ]


def settled(instance: Instance, asset: Asset, by: str) -> list[Message]:
    """A version that is ready by now, or has failed. `asset` comes with its branch."""
    if not asset.branch.project.heard or instance.state == State.PENDING:
        return []
    instance.asset = asset
    about, named = _Version(instance, instance.settled_at), _named(instance, asset)
    if instance.state == State.READY:
        return about.told(EventKind.READY, f"{named} is ready.", by)
    why = instance.state_reason
    sentence = f"{named} failed: {_sentence(why)}" if why else f"{named} failed."
    return about.told(EventKind.FAILED, sentence, by, reason=why)


def deprecated(instance: Instance, asset: Asset, event: Deprecation) -> list[Message]:
    """A version that was deprecated, or for which that was undone."""
    instance.asset = asset
    named, reason = _named(instance, asset), event.reason
    said = f"{named} is no longer deprecated" if event.undone else f"{named} was deprecated"
    return _Version(instance, event.at).told(
        EventKind.DEPRECATED, _because(said, reason), event.actor, reason=reason, undone=event.undone
    )


def unusual(instance: Instance, asset: Asset, reasons: dict[str, str], at: datetime | None = None) -> list[Message]:
    """A version of which something is unusual: by the names of metrics, in words."""
    said = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    instance.asset = asset
    sentence = _because(f"{_named(instance, asset)} is unusual", said)
    return _Version(instance, at).told(EventKind.UNUSUAL, sentence, "", reasons=reasons)


# aliases and gates


def alias_moved(
    asset: Asset,
    alias: str,
    *,
    target: Instance | None,
    from_uid: str,
    to_uid: str,
    outcome: Outcome,
    rulings: Sequence[Ruling],
    comment: str,
    by: str,
    at: datetime,
) -> list[Message]:
    """An alias that was set, moved or deleted (`to_uid` empty), and before it the gates that somebody overrode."""
    branch = asset.branch
    wanted = [EventKind.ALIAS_MOVED, *([EventKind.GATE_OVERRIDDEN] if outcome == Outcome.OVERRIDE else [])]
    if from_uid == to_uid or not any(is_heard(branch.project, kind) for kind in wanted):
        return []
    before, after = _held(asset, from_uid), version_of(branch, asset, target) if to_uid else None
    named, facts = _alias(alias, asset), _ruled(outcome, rulings, comment)
    if after is None:
        sentence = f"{named} was deleted; it was on {_ref(before)}."
    else:
        sentence = f"{named} was {f'moved from {_ref(before)}' if before else 'set'} to {_ref(after)}."
    about: Json = {"asset": asset, "version": after or before, "by": by, "at": at}
    ends: Json = {"from": before, "to": after}
    return [
        *_overridden(branch, f"the gates of {named}", outcome, facts, **about, alias=alias),
        *_told(EventKind.ALIAS_MOVED, branch, sentence, **about, alias=alias, **ends, **facts),
    ]


def promoted_by_override(
    copy: Instance, *, outcome: Outcome, rulings: Sequence[Ruling], comment: str, by: str
) -> list[Message]:
    """That somebody overrode the gates of a branch by promoting a version into it."""
    asset, branch = copy.asset, copy.asset.branch
    if outcome != Outcome.OVERRIDE:
        return []
    about: Json = {"asset": asset, "version": version_of(branch, asset, copy), "by": by, "at": copy.created_at}
    facts = _ruled(outcome, rulings, comment)
    return _overridden(branch, f"the gates of {branch.name} for {asset.title}", outcome, facts, **about, alias="")


def refused(
    asset: Asset,
    alias: str,
    *,
    target: Instance | None,
    uid: str,
    sentence: str,
    rulings: Sequence[Ruling],
    comment: str,
    by: str,
    at: datetime,
) -> list[Message]:
    """What gates refused: an alias that was to move, or without one a promotion into the branch, which made no copy."""
    branch = asset.branch
    if not is_heard(branch.project, EventKind.GATE_REFUSED):
        return []
    version = version_of(branch, asset, target) if alias else {"id": uid, "number": None, "url": ""}
    about: Json = {"asset": asset, "version": version, "by": by, "at": at, "alias": alias}
    return _told(EventKind.GATE_REFUSED, branch, sentence, **about, **_ruled(Outcome.REFUSED, rulings, comment))


# requests that wait for approvals


def asked(request: PromotionRequest, asset: Asset) -> list[Message]:
    """Somebody asked for approvals. `asset` is what is at its address, with its branch."""
    sentence = _because(f"{request.actor} asks {_wish(request, asset)}", request.comment)
    return _of_request(EventKind.APPROVAL_ASKED, request, asset, sentence, request.actor, request.at, request.comment)


def approved(
    request: PromotionRequest, asset: Asset, *, by: str, comment: str, given: int, needed: int, at: datetime
) -> list[Message]:
    """Somebody approved a request: it has so many approvals, and needs so many."""
    sentence = _because(f"{by} agrees {_wish(request, asset)} ({given} of {needed} approvals)", comment)
    numbers: Json = {"given": given, "needed": needed}
    return _of_request(EventKind.APPROVAL_GIVEN, request, asset, sentence, by, at, comment, **numbers)


def void(request: PromotionRequest, asset: Asset) -> list[Message]:
    """A request that was rejected or withdrawn, or is outdated."""
    state, by = RequestState(request.state), request.closed_by
    sentence = _because(
        f"What {request.actor} asked for, {_wish(request, asset)}, {VOID[state]}{f' by {by}' if by else ''}",
        request.reason,
    )
    about: Json = {"state": state.value, "reason": request.reason}
    return _of_request(EventKind.APPROVAL_VOID, request, asset, sentence, by, request.closed_at, "", **about)


# branches and assets


def deployed(branch: Branch, *, version_id: str, by: str, changed: Json | None = None) -> list[Message]:
    """A deploy of a project on a branch; `changed`: how many assets it declared anew, or as others."""
    what = f"{branch.project.name} {version_id}".strip()
    facts: Json = {"version_id": version_id, "assets": changed}
    return _told(EventKind.DEPLOYED, branch, f"{by} deployed {what} on {branch.name}.", by=by, **facts)


def deleted(asset: Asset, *, by: str, at: datetime, reason: str = "") -> list[Message]:
    sentence = _because(f"{asset.title} was deleted", reason)
    return _told(EventKind.DELETED, asset.branch, sentence, asset=asset, by=by, at=at, reason=reason)


def restored(asset: Asset, *, by: str, at: datetime) -> list[Message]:
    return _told(EventKind.RESTORED, asset.branch, f"{asset.title} was restored.", asset=asset, by=by, at=at)


def late(
    asset: Asset, *, now: datetime, why: str = "", cause: Json | None = None, due_at: datetime | None = None
) -> list[Message]:
    """An asset that is late; `why` in words, such as "TrainFlow has not run", `cause` as the catalogue found it."""
    due = due_at or asset.due_at
    sentence = _because(f"{asset.title} is {late_by(due, now)}" if due else f"{asset.title} is late", why)
    facts: Json = {"due_at": _text(due), "late_at": _text(asset.late_at), "usual": asset.usual, "cause": cause or {}}
    return _told(EventKind.LATE, asset.branch, sentence, asset=asset, at=now, why=why, **facts)


def fresh_again(
    asset: Asset, *, instance: Instance | None = None, sentence: str = "", due_at: datetime | None = None
) -> list[Message]:
    """An asset that was told late, and is late no more: of which a version came, or else as the sentence says.

    `due_at`: when that had been expected. It happens when the catalogue comes to know of it, though the version may be
    from before: whoever was told that it is late is told that it is over.
    """
    branch = asset.branch
    if not is_heard(branch.project, EventKind.FRESH_AGAIN):
        return []
    version = None
    if instance is not None:
        version, came_at = version_of(branch, asset, instance), instance.settled_at
        was = f", {late_by(due_at, came_at).removeprefix('late by ')} late" if due_at and came_at else ""
        sentence = f"{asset.title} is fresh again: {instance.ref} came{was}."
    about: Json = {"asset": asset, "version": version}
    return _told(EventKind.FRESH_AGAIN, branch, sentence, **about, due_at=_text(due_at))


# what they are made of


class _Version:
    """A version that messages are about, with its asset and branch; `at` is when something happened to it."""

    def __init__(self, instance: Instance, at: datetime | None) -> None:
        self.instance, self.at = instance, at

    def told(self, kind: EventKind, sentence: str, by: str, **facts: Any) -> list[Message]:
        instance, asset = self.instance, self.instance.asset
        branch = asset.branch
        if not is_heard(branch.project, kind):
            return []
        version = version_of(branch, asset, instance)
        return _told(kind, branch, sentence, asset=asset, version=version, by=by, at=self.at, **facts)


def _told(
    kind: EventKind,
    branch: Branch,
    sentence: str,
    *,
    asset: Asset | None = None,
    version: Json | None = None,
    by: str = "",
    at: datetime | None = None,
    **facts: Any,
) -> list[Message]:
    if not is_heard(branch.project, kind):
        return []
    body = body_of(branch, sentence, asset=asset, version=version, by=by, **facts)
    return [message(kind, branch, body, asset=asset if asset and asset.pk else None, instance_uid=_uid(version), at=at)]


def _of_request(
    kind: EventKind,
    request: PromotionRequest,
    asset: Asset,
    sentence: str,
    by: str,
    at: datetime | None,
    comment: str,
    **facts: Any,
) -> list[Message]:
    branch = request.branch
    if not is_heard(branch.project, kind):
        return []
    version = _asked_for(request, asset)
    its: Json = {"id": request.pk, "url": whole(request_url(request)), "by": request.actor}
    about: Json = {"asset": asset, "version": version, "by": by, "at": at, "alias": request.alias}
    return _told(kind, branch, sentence, **about, request=its, comment=comment, **facts)


def _overridden(branch: Branch, what: str, outcome: Outcome, facts: Json, *, by: str, **about: Any) -> list[Message]:
    if outcome != Outcome.OVERRIDE:
        return []
    sentence = _because(f"{by} overrode {what}", facts["comment"])
    return _told(EventKind.GATE_OVERRIDDEN, branch, sentence, by=by, **about, **facts)


def _ruled(outcome: Outcome, rulings: Sequence[Ruling], comment: str) -> Json:
    rules = [{"rule": ruling.rule, "says": ruling.says.value} for ruling in rulings]
    return {"outcome": outcome.value, "rules": rules, "comment": comment}


def _held(asset: Asset, uid: str) -> Json | None:
    """What an alias was on."""
    if not uid or uid == asset.definition_uid:
        return version_of(asset.branch, asset, None) if uid else None
    held = Instance.objects.of(asset).filter(uid=uid).only("uid", "number", "asset_id").first()
    return version_of(asset.branch, asset, held) if held else {"id": uid, "number": None, "url": ""}


def _asked_for(request: PromotionRequest, asset: Asset) -> Json:
    """The version that a request is about, which is on another branch if it is to be promoted."""
    its = request.instance.asset
    return version_of(its.branch if its.pk != asset.pk else request.branch, its, request.instance)


def _asset(branch: Branch, kind: str, asset_id: str, name: str) -> Json:
    return {"id": asset_id, "name": name, "url": whole(asset_url_by_id(branch, kind, asset_id))}


def _wish(request: PromotionRequest, asset: Asset) -> str:
    to = request.instance.ref
    if request.alias:
        return f"to move {_alias(request.alias, asset)} to {to}"
    return f"to promote {to} of {request.instance.asset.branch.name} of {asset.title} into {request.branch.name}"


def _named(instance: Instance, asset: Asset) -> str:
    return f"{instance.ref} of {asset.title}"


def _alias(alias: str, asset: Asset) -> str:
    return f"@{alias} of {asset.title}"


def _ref(version: Json | None) -> str:
    return f"v{version['number']}" if version and version["number"] else "the definition"


def _because(said: str, why: str) -> str:
    return f"{said}: {_sentence(why)}" if why else f"{said}."


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _uid(version: Json | None) -> str:
    return str(version["id"]) if version else ""


def _text(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
