"""Asking that an alias be moved, or a version promoted into a branch, once others approve; approving, rejecting, and
withdrawing.

Each is one transaction under the lock of the request and that of the asset at its address, in this order: of two
approvals at once, the second sees what the first left. What turns out to be outdated is kept as such, and then refused.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from access.errors import BadRequest, Conflict, Forbidden, NotFound, SiteError
from access.identity import Viewer
from catalog import limits, news, outbox
from catalog.approvals import Standing, approvals_given, as_now, is_asked_by, with_approvals
from catalog.entities import Entity
from catalog.gates.judgement import Says
from catalog.models import AliasMove, Approval, Asset, Branch, GateVerdict, Instance, PromotionRequest
from catalog.querysets import PROMOTED_FROM
from catalog.recording.aliases import ANY, AliasMoved, set_alias
from catalog.recording.gating import (
    GateRefused,
    Judged,
    Wish,
    judge_move,
    judge_promotion,
    note_refusal,
)
from catalog.recording.looked_up import promoted_to, with_card, with_card_of_copy
from catalog.recording.places import AssetAddress, BranchAddress, locked_again, locked_all
from catalog.recording.registering import Registration
from catalog.states import RequestState, State

Make = Callable[[Viewer, PromotionRequest, Wish], GateVerdict | None]
"""Makes what a request asks for, and answers what the gates said of it."""
MOST_SETTLED = 100
"""How many open requests of an address a write looks through for outdated ones."""


class NotOpen(Conflict):
    """The request was decided, withdrawn, or is outdated."""


class AlreadyAsked(Conflict):
    """There is an open request for the same."""


def ask(
    *,
    viewer: Viewer,
    asset: Asset,
    name: str,
    target_uid: str,
    expected: object = ANY,
    comment: str = "",
) -> PromotionRequest:
    """Ask that an alias be moved; `expected` is the id that it points to now, None: it must not exist.

    Refused with the rules where any other than that of approvals refuses, and where no approval is needed.
    """
    comment = _checked(comment)
    wish = with_card(Wish(comment=comment, user=viewer.account), asset, name, target_uid)
    with transaction.atomic():
        asset = locked_again(asset)
        if asset.deleted_at is not None:
            raise NotFound(f"The asset '{asset.asset_id}' was deleted.", asset=asset.asset_id)
        present = asset.alias_index.get(name)
        if expected is not ANY and present != expected:
            raise AliasMoved(f"The alias '{name}' is not where you saw it; look at it again.")
        judged = judge_move(asset, name, target_uid, wish)
        _refuse_unless_approvals_are_missing(judged, wish, viewer)
        return _keep(viewer, judged, comment)


def ask_for_promotion(*, viewer: Viewer, at: AssetAddress, source: Instance, comment: str = "") -> PromotionRequest:
    """Ask that a version be promoted into the branch of an address; refused as a move is."""
    if source.state != State.READY:
        raise BadRequest(f"{source.ref} is {source.state}; only a ready instance can be promoted.", instance=source.uid)
    _refuse_unless_from_elsewhere(source, at)
    comment, what = _checked(comment), _copy_of(source)
    wish = with_card_of_copy(Wish(comment=comment, user=viewer.account), at, what.annotations)
    target = promoted_to(at)
    if target is None:
        raise NotFound(f"There is no branch '{at.branch.called}' to promote to.", branch=at.branch.called)
    with transaction.atomic():
        if target.pk is not None:
            locked_all([target.pk])
        target = promoted_to(at) or target
        _refuse_if_promoted(source, target)
        judged = judge_promotion(target, what, source, wish)
        _refuse_unless_approvals_are_missing(judged, wish, viewer)
        return _keep(viewer, judged, comment)


def _target_of(request: PromotionRequest) -> AssetAddress:
    branch, project = request.branch, request.branch.project
    into = BranchAddress(project.perimeter, project.name, branch.key, branch.git_name, branch.name)
    return AssetAddress(into, request.kind, request.asset_id)


def _refuse_unless_from_elsewhere(source: Instance, at: AssetAddress) -> None:
    """A version is promoted to the same asset of another branch of its project: nowhere else is its copy made."""
    asset, to = source.asset, at.branch
    project = asset.branch.project
    same = (project.perimeter_id, project.name, asset.kind, asset.asset_id)
    if same != (to.perimeter.pk, to.project, at.kind, at.asset_id) or asset.branch.key == to.key:
        raise BadRequest(
            f"{source.ref} of {asset.asset_id} can't be promoted to {at.asset_id} of {to.called}: "
            "a version is promoted to its own asset on another branch of its project.",
            instance=source.uid,
        )


def _refuse_if_promoted(source: Instance, target: Asset) -> None:
    """As it would be promoted only once."""
    copies = Instance.objects.of(target).filter(promoted_from=source, state=State.READY) if target.pk else None
    if copies is not None and (copy := copies.first()):
        raise Conflict(
            f"{source.ref} was promoted there already: it is {copy.ref} of {target.branch.name}.", instance=copy.uid
        )


def _copy_of(source: Instance) -> Registration:
    """What rules are asked about before there is a copy."""
    return Registration(
        asset_kind=source.asset_kind,
        annotations=source.annotations | {PROMOTED_FROM: source.uid},
        tags=source.tags,
        digest=source.digest,
    )


def approve(
    *, viewer: Viewer, request: PromotionRequest, comment: str = "", make: Make | None = None
) -> PromotionRequest:
    """Approve a request. The last approval that it needs makes the move, which is judged again.

    What is refused then leaves the approval as it is given, and the request open with the reason; an approver may try
    again. `make` makes the copy of a promotion into a branch.
    """
    comment = _checked(comment)
    wish = Wish(comment=comment or request.comment, user=viewer.person, request=request)
    if request.alias and (asset := _live(request)):
        wish = with_card(wish, asset, request.alias, request.instance.uid)
    elif not request.alias:
        wish = with_card_of_copy(wish, _target_of(request), _copy_of(request.instance).annotations)

    def approved(standing: Standing) -> PromotionRequest:
        row: PromotionRequest = standing.request
        _refuse(standing.why_not(viewer))
        at, is_new = timezone.now(), not standing.has_approved(viewer.person)
        if is_new:
            Approval.objects.create(request=row, user=viewer.person, actor=viewer.actor, comment=comment, at=at)
        elif standing.missing:
            raise Conflict("You have approved it already.")
        given = approvals_given(row)
        if is_new and row.branch.project.heard:
            numbers = {"given": given, "needed": standing.needed}
            outbox.keep(news.approved(row, _asset_of(row), by=viewer.actor, comment=comment, at=at, **numbers))
        if given >= standing.needed:
            _move(viewer, row, replace(wish, request=row), make or _move_alias)
        return row

    return _acted_on(request, approved)


def reject(*, viewer: Viewer, request: PromotionRequest, comment: str) -> PromotionRequest:
    """Reject a request, for a reason."""
    reason = _checked(comment)

    def rejected(standing: Standing) -> PromotionRequest:
        _refuse(standing.why_not(viewer))
        if not reason:
            raise BadRequest("Say why you reject it.", field="comment")
        return _close(standing.request, RequestState.REJECTED, reason, viewer.actor)

    return _acted_on(request, rejected)


def withdraw(*, viewer: Viewer, request: PromotionRequest) -> PromotionRequest:
    """Withdraw a request; only for whoever made it, also by a token of theirs."""

    def withdrawn(standing: Standing) -> PromotionRequest:
        if viewer.account is None or not is_asked_by(standing.request, viewer.account):
            raise Forbidden("Only who asked for it can withdraw it.")
        return _close(standing.request, RequestState.WITHDRAWN, "", viewer.actor)

    return _acted_on(request, withdrawn)


def _acted_on(request: PromotionRequest, act: Callable[[Standing], PromotionRequest]) -> PromotionRequest:
    """Do something about an open request, under its lock, and that of the asset at its address."""
    row = request
    with transaction.atomic():
        _lock(request)
        standing = Standing(with_approvals(PromotionRequest.objects.filter(pk=request.pk)).get())
        was_open = standing.is_open
        if was_open:
            row = act(standing)
        elif standing.outdated:
            _close(standing.request, RequestState.OUTDATED, standing.outdated)
        Branch.objects.filter(pk=request.branch_id).mark()
    if not was_open:
        raise NotOpen(standing.why_closed, state=standing.state.value)
    return row


def _lock(request: PromotionRequest) -> None:
    """The request first, then the live asset at its address, if there is one: a promotion may make it."""
    PromotionRequest.objects.select_for_update(no_key=True).get(pk=request.pk)
    live = _live(request)
    if live is not None:
        locked_all([live.pk])


def _live(request: PromotionRequest) -> Asset | None:
    at = {"branch": request.branch_id, "kind": request.kind, "asset_id": request.asset_id}
    live: Asset | None = Asset.objects.with_place().filter(**at, deleted_at=None).first()
    return live


def _refuse_unless_approvals_are_missing(judged: Judged, wish: Wish, viewer: Viewer) -> None:
    given, needed = judged.approvals
    if any(ruling.says == Says.REFUSES for ruling in judged.own_rulings):
        refusal = GateRefused(judged, wish, viewer.actor, by(viewer))
        refusal.noted = True  # nobody wanted to move anything yet
        raise refusal
    if judged.passes or given >= needed:
        what = f"@{judged.alias}" if judged.alias else "The promotion"
        raise Conflict(f"{what} needs no approval to go there: it can be done at once.")


def _keep(viewer: Viewer, judged: Judged, comment: str) -> PromotionRequest:
    asset, name, target = judged.asset, judged.alias, judged.target
    instance = target if name or target is None else target.promoted_from
    if instance is None or judged.gates is None:
        raise BadRequest("Ask for a version that is registered: nothing else can be approved.", instance=judged.uid)
    address = {"branch": asset.branch, "kind": asset.kind, "asset_id": asset.asset_id}
    _settle_outdated(PromotionRequest.objects.filter(**address))
    same = PromotionRequest.objects.filter(**address, alias=name, instance=instance, state=RequestState.OPEN)
    _refuse_again(same.first())
    request = PromotionRequest(
        **address,
        alias=name,
        instance=instance,
        expected_uid=judged.from_uid,
        gates=judged.gates,
        comment=comment,
        at=timezone.now(),
        actor=viewer.actor,
        user=viewer.account,
    )
    try:
        with transaction.atomic():
            request.save()
    except IntegrityError:  # where there is no asset to lock, somebody else was faster by a hair
        _refuse_again(same.first())
        raise
    Branch.objects.filter(pk=asset.branch_id).mark()
    outbox.keep(news.asked(request, asset))
    return request


def _refuse_again(same: PromotionRequest | None) -> None:
    if same is not None:
        raise AlreadyAsked(
            f"{same.actor} has asked for the same already: request {same.pk}.", request=same.pk, actor=same.actor
        )


def _settle_outdated(requests: Any) -> None:
    """Keep of open requests that they are outdated, where they are, and nobody else acts on them at this moment: who
    does holds the request, and waits for the asset, which is held here."""
    free = requests.filter(state=RequestState.OPEN).select_for_update(no_key=True, skip_locked=True, of=("self",))
    for row in as_now(free.order_by("-pk"))[:MOST_SETTLED]:
        if reason := Standing(row).outdated:
            _close(row, RequestState.OUTDATED, reason)


def _close(request: PromotionRequest, state: RequestState, reason: str, actor: str = "") -> PromotionRequest:
    request.state, request.reason, request.closed_by, request.closed_at = state, reason, actor, timezone.now()
    request.save(update_fields=["state", "reason", "closed_by", "closed_at", "verdict"])
    if state != RequestState.DONE and request.branch.project.heard:
        outbox.keep(news.void(request, _asset_of(request)))
    return request


def _asset_of(request: PromotionRequest) -> Asset:
    """What a message about a request names: the asset at its address, which may not be there yet."""
    at = {"branch": request.branch, "kind": request.kind, "asset_id": request.asset_id}
    return _live(request) or Asset(**at, name=request.instance.asset.name)


def _move(viewer: Viewer, request: PromotionRequest, wish: Wish, make: Make) -> None:
    """Make the move. If it is refused, only that is undone, and the reason is kept."""
    try:
        with transaction.atomic():
            verdict = make(viewer, request, wish)
    except SiteError as refused:
        note_refusal(refused)
        request.reason = refused.message
        request.save(update_fields=["reason"])
        return
    request.verdict = verdict
    _close(request, RequestState.DONE, "", viewer.actor)


def _move_alias(viewer: Viewer, request: PromotionRequest, wish: Wish) -> GateVerdict | None:
    asset = _live(request)
    if asset is None:
        raise NotFound(f"The asset '{request.asset_id}' was deleted.", asset=request.asset_id)
    set_alias(
        actor=viewer.actor,
        asset=asset,
        name=request.alias,
        target_uid=request.instance.uid,
        entity=by(viewer),
        expected=request.expected_uid or None,
        wish=wish,
    )
    move = AliasMove.objects.filter(asset=asset, name=request.alias).latest("pk")
    return move.verdict


def by(viewer: Viewer) -> Entity:
    return Entity("user", viewer.user.get_username())


def _refuse(why: str) -> None:
    if why:
        raise Forbidden(why)


def _checked(comment: str) -> str:
    if len(comment) > limits.COMMENT_LENGTH:
        raise BadRequest(f"A comment has at most {limits.COMMENT_LENGTH:,} characters.", field="comment")
    if limits.UNSTORABLE.search(comment):
        raise BadRequest("The comment has characters in it that can't be stored.", field="comment")
    return comment.strip()
