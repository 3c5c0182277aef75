"""Moving an alias: the page is the dry run of the same code that moves, and the form does it."""

from dataclasses import dataclass
from functools import cached_property

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from access.errors import BadRequest
from access.identity import Viewer, viewer_of
from catalog import recording
from catalog.addresses import alias_url, asset_url, instance_url, move_url, requests_url
from catalog.models import Alias, Asset
from catalog.pagekit.editing import (
    entity_of,
    may_override,
    require_editor,
    require_overrider,
    what_is_lacking,
)
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place_of_form
from catalog.reading import Place, Resolved, find_asset, find_instance
from catalog.recording.looked_up import with_card
from catalog.shown.names import isolated
from comparing.sentences import Name, Sentence
from promoting.answers import Answer, Words, answer_of, cannot, is_so_already
from promoting.pages.choose import choose_version
from promoting.pages.decided import SHOWN, Again, Sent, checked_alias, faster_than, named, uid_in
from promoting.readers import readers_of
from promoting.replaced import Replaced, ref_of, replaced_by

MOST_READERS = 8


@dataclass(frozen=True)
class Move:
    """An alias that is to be moved to a version, as it is now."""

    viewer: Viewer
    asset: Asset
    alias: str
    to: Resolved

    @property
    def ref(self) -> str:
        """How sentences call the version."""
        return self.to.instance.ref if self.to.instance else "the definition"

    @cached_property
    def holder(self) -> Resolved | None:
        """What it leads to now."""
        return find_instance(self.asset, f"@{self.alias}") if self.alias in self.asset.alias_index else None

    @property
    def present(self) -> Alias | None:
        row: Alias | None = self.asset.aliases.filter(name=self.alias).first() if self.holder else None
        return row

    @property
    def is_deprecated(self) -> bool:
        """Whether nobody can move the alias there, but by a roll-back."""
        instance = self.to.instance
        return instance is not None and instance.deprecation_id is not None

    @cached_property
    def answer(self) -> Answer:
        name, instance = Sentence(Name(f"@{self.alias}")), self.to.instance
        if self.holder and self.holder.uid == self.to.uid:
            return is_so_already(Sentence(name, f" is on {self.ref} already"))
        if instance is not None and not instance.is_ready:
            said = Sentence(name, f" can't move to {self.ref}: it is {instance.state}")
            return cannot(said, Sentence("Off, since an alias takes a ready version only."))
        words = Words(
            can=Sentence(name, f" can {'move to' if self.holder else 'be set on'} {self.ref}"),
            can_not=Sentence(name, f" can't {'move to' if self.holder else 'be set on'} {self.ref}"),
            roll_back=Sentence(name, f" can be rolled back to {self.ref}"),
        )
        return answer_of(words, self.judged)

    @cached_property
    def judged(self) -> recording.Judged:
        wish = with_card(recording.Wish(user=self.viewer.person), self.asset, self.alias, self.to.uid)
        return recording.judge_move(self.asset, self.alias, self.to.uid, wish)

    @property
    def replaced(self) -> Replaced | None:
        if self.holder is None or self.holder.uid == self.to.uid:
            return None
        return replaced_by(self.viewer, self.holder, self.to, self.asset)

    @property
    def url(self) -> str:
        return move_url(self.asset, self.alias, ref_of(self.to) if self.to.instance else self.to.uid)


@at_place_of_form
def move_page(request: HttpRequest, place: Place, kind: str, asset_id: str, alias: str) -> HttpResponse:
    viewer = viewer_of(request)
    asset, alias = find_asset(viewer, place, kind, asset_id), checked_alias(alias)
    if request.method == "POST":
        require_editor(viewer, asset.branch)
        to = find_instance(asset, uid_in(request, "instance"))
        return _sent(request, Move(viewer, asset, alias, to))
    reference = request.GET.get("to", "").strip()
    if not reference:
        return choose_version(request, asset, alias)
    return _page(request, Move(viewer, asset, alias, find_instance(asset, reference)))


def _sent(request: HttpRequest, move: Move) -> HttpResponse:
    """Move it, or show the page again with the reason why not."""
    sent, viewer, asset, alias = Sent.of(request), move.viewer, move.asset, move.alias
    if sent.overrides:
        require_overrider(viewer, asset.branch)
    if sent.is_wrong:
        return _page(request, move, Again(422, sent))
    expected = uid_in(request, "expected")
    wish = recording.Wish(sent.comment, viewer.person, sent.reason if sent.overrides else "")
    wish = with_card(wish, asset, alias, move.to.uid)
    try:
        with transaction.atomic():
            recording.set_alias(
                actor=viewer.actor,
                asset=asset,
                name=alias,
                target_uid=move.to.uid,
                entity=entity_of(viewer),
                expected=expected or None,
                wish=wish,
            )
    except recording.AliasMoved:
        now = _now(viewer, move)
        return _page(request, now, Again(409, sent, faster=faster_than(now.asset, alias, expected, move.to)))
    except recording.GateRefused as refused:
        recording.note_refusal(refused)
        now = _now(viewer, move)
        return _page(request, now, Again(422, sent, refused=_stays(now)))
    except BadRequest as error:
        return _page(request, _now(viewer, move), Again(422, sent, error=error.message))
    messages.success(request, f"@{isolated(alias)} leads to {move.ref}.")
    return HttpResponseRedirect(alias_url(asset, alias))


def _now(viewer: Viewer, move: Move) -> Move:
    """The same, as it is by now."""
    branch = move.asset.branch
    place = Place(branch.project.perimeter.name, branch.project.name, branch.key)
    asset = find_asset(viewer, place, move.asset.kind, move.asset.asset_id)
    return Move(viewer, asset, move.alias, find_instance(asset, move.to.uid))


def _stays(move: Move) -> Sentence:
    stays = f" stays on {named(move.holder)}." if move.holder else " is not set."
    return Sentence("Refused: ", Name(f"@{move.alias}"), stays)


def _page(request: HttpRequest, move: Move, again: Again = SHOWN) -> HttpResponse:
    asset, answer, present = move.asset, move.answer, move.present
    readers = readers_of(asset, move.alias)
    context = {
        **branch_frame(request, asset.branch, asset.kind, asset),
        **again.context,
        "json_url": "",
        "looked_at": timezone.now(),
        "asset": asset,
        "asset_url": asset_url(asset),
        "alias": move.alias,
        "alias_url": alias_url(asset, move.alias) if move.holder else "",
        "ref": move.ref,
        "ref_url": instance_url(asset, move.to.instance) if move.to.instance else asset_url(asset),
        "holder": named(move.holder) if move.holder else "",
        "holder_uid": move.holder.uid if move.holder else "",
        "present": present,
        "uid": move.to.uid,
        "requests_url": requests_url(asset),
        "here": move.url,
        "answer": answer,
        "replaced": move.replaced,
        "readers": readers[:MOST_READERS],
        "more_readers": max(0, len(readers) - MOST_READERS),
        "lacks": what_is_lacking(move.viewer, asset.branch),
        "may_override": answer.not_met > 0 and not move.is_deprecated and may_override(move.viewer, asset.branch),
    }
    return render(request, "promoting/move.html", context, status=again.status)
