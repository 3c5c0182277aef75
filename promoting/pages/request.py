"""A request for approvals: what is asked for and by whom, what its rules say, and what the viewer may do about it."""

from dataclasses import dataclass
from functools import cached_property

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from access.errors import BadRequest, Conflict, Forbidden, NotFound
from access.identity import Viewer, viewer_of
from catalog.addresses import alias_url, asset_url, instance_url, move_url, promote_url, request_url, requests_url
from catalog.approvals import Standing
from catalog.gates.judgement import rulings_from
from catalog.models import Asset, Branch, GateVerdict, PromotionRequest
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place_of_form
from catalog.pagekit.rulings import Rulings, as_shown, in_order
from catalog.reading import Place, Resolved, checked_asset_id, find_branch, find_instance
from catalog.recording import Judged, Wish, judge_move, judge_promotion
from catalog.recording.approving import approve, reject, withdraw
from catalog.recording.looked_up import with_card, with_card_of_copy
from catalog.shown.names import isolated
from catalog.wire.rendering import json_answer
from catalog.wire.request_shapes import request_shape
from comparing.sentences import Sentence
from promoting.answers import NOTHING_TO_SAY, Words, answer_of
from promoting.asked import AskedFor, asked_for
from promoting.copying import Copying
from promoting.pages.requests import requests_at
from promoting.replaced import Replaced, replaced_by

ACTS = ("approve", "reject", "withdraw")


@dataclass(frozen=True)
class Looked:
    """A request with what is looked at before it is decided."""

    viewer: Viewer
    asked: AskedFor
    branch: Branch
    asset: Asset | None
    """The one at the address, if there is one now."""

    @property
    def row(self) -> PromotionRequest:
        found: PromotionRequest = self.asked.request
        return found

    @cached_property
    def copying(self) -> Copying:
        version = self.row.instance
        return Copying(self.viewer, version.asset, version, self.branch)

    @cached_property
    def judged(self) -> Judged:
        """What the rules say now, with the approvals that are given."""
        wish, version = Wish(user=self.viewer.person, request=self.row), self.row.instance
        asset, alias = self.asset, self.row.alias
        if alias and asset:
            return judge_move(asset, alias, version.uid, with_card(wish, asset, alias, version.uid))
        copying = self.copying
        wish = with_card_of_copy(wish, copying.at, copying.what.annotations)
        return judge_promotion(copying.target, copying.what, version, wish)

    @property
    def rulings(self) -> Rulings:
        """What the rules say now; of a move that is done, what they said then."""
        if self.asked.standing.is_open:
            nothing = Sentence()
            return answer_of(Words(nothing, nothing), self.judged).rulings
        verdict = self.row.verdict
        return as_shown(in_order(rulings_from(verdict.rules).rulings)) if verdict else NOTHING_TO_SAY

    @property
    def replaced(self) -> Replaced | None:
        """What the version would replace, while the request is open."""
        before, version = self._before if self.asked.standing.is_open else None, self.row.instance
        if before is None or before.instance is None or before.instance.pk == version.pk:
            return None
        return replaced_by(self.viewer, before, Resolved(version.asset, version), self.asset or version.asset)

    @property
    def _before(self) -> Resolved | None:
        if self.asset is None or self.row.instance.asset.deleted_at is not None:
            return None
        if not self.row.alias:
            return Resolved(self.asset, self.asset.newest_ready)
        try:
            return find_instance(self.asset, self.row.expected_uid) if self.row.expected_uid else None
        except NotFound:
            return None


def looked_at(viewer: Viewer, place: Place, kind: str, asset_id: str, pk: int) -> Looked:
    branch, asset_id = find_branch(viewer, place), checked_asset_id(asset_id)
    row = requests_at(viewer, branch, kind, asset_id).select_related("verdict").filter(pk=pk).first()
    if row is None:
        raise NotFound(f"The asset '{asset_id}' has no request {pk}.", request=pk)
    asset = Asset.objects.visible_to(viewer).live().with_place().filter(branch=branch, kind=kind, asset_id=asset_id)
    (asked,) = asked_for([Standing(row)], viewer)
    return Looked(viewer, asked, branch, asset.select_related("newest_ready").first())


@at_place_of_form
def request_page(
    request: HttpRequest, place: Place, kind: str, asset_id: str, request_id: int, twin: bool
) -> HttpResponse:
    viewer = viewer_of(request)
    looked = looked_at(viewer, place, kind, asset_id, request_id)
    if request.method == "POST":
        return _sent(request, looked)
    if twin:
        base = request.build_absolute_uri("/").rstrip("/")
        return json_answer({"request": request_shape(looked.asked.standing, base)})
    return _page(request, looked)


def _sent(request: HttpRequest, looked: Looked) -> HttpResponse:
    """Do what the button says, or show the page again with the reason why not."""
    act, comment = request.POST.get("act", ""), request.POST.get("comment", "")
    if act not in ACTS:
        raise BadRequest("The form is incomplete. Go back, reload the page and send it again.", field="act")
    viewer, row = looked.viewer, looked.row
    try:
        if act == "approve":
            made = approve(viewer=viewer, request=row, comment=comment, make=None if row.alias else _copy)
        elif act == "reject":
            made = reject(viewer=viewer, request=row, comment=comment)
        else:
            made = withdraw(viewer=viewer, request=row)
    except (Conflict, BadRequest, Forbidden) as refused:
        now = looked_at(viewer, _place(looked.branch), row.kind, row.asset_id, row.pk)
        return _page(request, now, refused.status, comment, refused.message)
    _tell(request, act, Standing(requests_at(viewer, looked.branch, row.kind, row.asset_id).get(pk=made.pk)), row)
    return HttpResponseRedirect(request_url(row))


def _tell(request: HttpRequest, act: str, now: Standing, row: PromotionRequest) -> None:
    what = f"@{isolated(row.alias)}" if row.alias else isolated(row.branch.name)
    if act == "withdraw":
        messages.success(request, "The request is withdrawn.")
    elif act == "reject":
        messages.success(request, "The request is rejected.")
    elif now.is_done:
        said = f"{what} leads to {row.instance.ref}." if row.alias else f"{row.instance.ref} is promoted to {what}."
        messages.success(request, f"Approved: {said}")
    elif now.request.reason:
        messages.warning(request, "Your approval is kept, and nothing was moved: the rules refuse it now.")
    else:
        messages.success(request, f"Approved: {now.missing} more to go.")


def _again_url(asset: Asset, row: PromotionRequest) -> str:
    """Where the same can be asked for anew."""
    version = row.instance
    if row.alias:
        return move_url(asset, row.alias, version.ref)
    return promote_url(version.asset, version, row.branch.key)


def _copy(viewer: Viewer, request: PromotionRequest, wish: Wish) -> GateVerdict | None:
    """Make the copy that a request asks for."""
    version = request.instance
    copying = Copying(viewer, version.asset, version, request.branch)
    target = copying.target
    newest = target.newest_ready if target.pk else None
    copy, is_new = copying.make(wish, newest.uid if newest else "")
    verdict: GateVerdict | None = getattr(copy, "verdict", None) if is_new else None  # else it is that of another
    return verdict


def _place(branch: Branch) -> Place:
    return Place(branch.project.perimeter.name, branch.project.name, branch.key)


def _page(request: HttpRequest, looked: Looked, status: int = 200, comment: str = "", error: str = "") -> HttpResponse:
    row, asset, version = looked.row, looked.asset, looked.row.instance
    is_gone = version.asset.deleted_at is not None
    context = {
        **branch_frame(request, looked.branch, row.kind, asset),
        "asked": looked.asked,
        "standing": looked.asked.standing,
        "promotion": row,
        "asset": asset,
        "asset_url": asset_url(asset) if asset else "",
        "all_url": requests_url(asset) if asset else "",
        "alias_url": alias_url(asset, row.alias) if asset and row.alias else "",
        "ref_url": "" if is_gone else instance_url(version.asset, version),
        "again_url": "" if is_gone or not asset else _again_url(asset, row),
        "rulings": looked.rulings,
        "replaced": looked.replaced,
        "looked_at": timezone.now(),
        "here": request_url(row),
        "comment": comment,
        "error": error,
    }
    return render(request, "promoting/request.html", context, status=status)
