"""Promoting a version to another branch: what its gates say, what it would replace there, and a form that does it."""

from dataclasses import dataclass
from functools import cached_property

from django.contrib import messages
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from access.errors import BadRequest, SiteError
from access.identity import Viewer, viewer_of
from catalog import recording
from catalog.addresses import asset_url, instance_url, promote_url, requests_url
from catalog.branch_keys import KnownByOtherKey
from catalog.models import Asset, Branch, Instance
from catalog.pagekit.editing import may_override, require_editor, require_overrider, what_is_lacking
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place_of_form
from catalog.reading import Place, Resolved, find_asset, find_branch, find_instance
from catalog.recording.looked_up import with_card_of_copy
from catalog.shown.names import isolated
from comparing.sentences import Name, Sentence
from obproject.branches import MAIN_BRANCHES
from promoting.answers import Answer, Words, answer_of, cannot, is_so_already
from promoting.copying import Copying, TargetMoved
from promoting.pages.decided import SHOWN, Again, Sent, uid_in
from promoting.replaced import Replaced, replaced_by

MOST_BRANCHES = 100


@dataclass(frozen=True)
class Promotion:
    """A version that is to be promoted to a branch, as both are now."""

    copying: Copying

    @property
    def viewer(self) -> Viewer:
        return self.copying.viewer

    @cached_property
    def target(self) -> Asset:
        return self.copying.target

    @cached_property
    def copy(self) -> Instance | None:
        return self.copying.copy_on(self.target)

    @property
    def newest(self) -> Instance | None:
        """What `latest` means there now."""
        return self.target.newest_ready if self.target.pk else None

    @cached_property
    def answer(self) -> Answer:
        instance, branch = self.copying.instance, Name(self.copying.branch.name)
        here = Sentence(f"{instance.ref} of ", Name(self.copying.asset.branch.name))
        if self.copy:
            return is_so_already(Sentence(here, f" is {self.copy.ref} of ", branch, " already"))
        if not instance.is_ready:
            said = Sentence(here, " can't be promoted: it is ", instance.state)
            return cannot(said, Sentence("Off, since only what is ready is promoted."))
        can, can_not = (Sentence(here, words, branch) for words in (" can be promoted to ", " can't be promoted to "))
        return answer_of(Words(can, can_not, can), self.judged)

    @cached_property
    def judged(self) -> recording.Judged:
        copying = self.copying
        wish = with_card_of_copy(recording.Wish(user=self.viewer.person), copying.at, copying.what.annotations)
        return recording.judge_promotion(self.target, copying.what, copying.instance, wish)

    @property
    def replaced(self) -> Replaced | None:
        newest = self.newest
        if newest is None or self.copy:
            return None
        after = Resolved(self.copying.asset, self.copying.instance)
        return replaced_by(self.viewer, Resolved(self.target, newest), after, self.copying.asset)


@at_place_of_form
def promote_page(request: HttpRequest, place: Place, kind: str, asset_id: str, reference: str) -> HttpResponse:
    viewer = viewer_of(request)
    asset = find_asset(viewer, place, kind, asset_id)
    instance = find_instance(asset, reference).instance
    if instance is None:
        raise BadRequest("A definition comes to another branch by a deploy, and can't be promoted.")
    to = (request.POST if request.method == "POST" else request.GET).get("to", "").strip()
    if not to:
        return _choose(request, asset, instance)
    try:
        branch = find_branch(viewer, Place.of(place.perimeter, place.project, to))
    except KnownByOtherKey as other:
        return HttpResponseRedirect(promote_url(asset, instance, other.key))
    if branch.pk == asset.branch_id:
        raise BadRequest(f"{instance.ref} is on {branch.name} already: move an alias to it.", field="to")
    promotion = Promotion(Copying(viewer, asset, instance, branch))
    if request.method != "POST":
        return _page(request, promotion)
    require_editor(viewer, branch)
    if uid_in(request, "instance") != instance.uid:
        raise BadRequest(f"{instance.ref} is another version now. Go back, and reload the page.", field="instance")
    return _sent(request, promotion)


def _sent(request: HttpRequest, promotion: Promotion) -> HttpResponse:
    """Promote it, or show the page again with the reason why not."""
    sent, copying, viewer = Sent.of(request), promotion.copying, promotion.viewer
    if sent.overrides:
        require_overrider(viewer, copying.branch)
    if sent.is_wrong:
        return _page(request, promotion, Again(422, sent))
    wish = recording.Wish(sent.comment, viewer.person, sent.reason if sent.overrides else "")
    try:
        copy, is_new = copying.make(wish, uid_in(request, "expected"))
    except TargetMoved as error:
        return _page(request, Promotion(copying), Again(409, sent, error=error.message))
    except recording.GateRefused as refused:
        recording.note_refusal(refused)
        said = Sentence("Refused: nothing was promoted to ", Name(copying.branch.name), ".")
        return _page(request, Promotion(copying), Again(422, sent, refused=said))
    except SiteError as error:
        return _page(request, Promotion(copying), Again(422, sent, error=error.message))
    name = isolated(copying.branch.name)
    done = f"{copying.instance.ref} is promoted: this is its copy on {name}."
    messages.success(request, done if is_new else f"It was promoted before: this is its copy on {name}.")
    return HttpResponseRedirect(instance_url(promotion.target if promotion.target.pk else copy.asset, copy))


def _page(request: HttpRequest, promotion: Promotion, again: Again = SHOWN) -> HttpResponse:
    copying, answer, newest = promotion.copying, promotion.answer, promotion.newest
    asset, instance, branch, viewer = copying.asset, copying.instance, copying.branch, promotion.viewer
    there = asset_url(promotion.target)
    context = {
        **branch_frame(request, asset.branch, asset.kind, asset),
        **again.context,
        "json_url": "",
        "looked_at": timezone.now(),
        "asset": asset,
        "asset_url": asset_url(asset),
        "instance": instance,
        "instance_url": instance_url(asset, instance),
        "branch": branch,
        "target_url": there if promotion.target.pk else "",
        "newest": newest,
        "copy_url": instance_url(promotion.target, promotion.copy) if promotion.copy else "",
        "requests_url": requests_url(promotion.target),
        "here": promote_url(asset, instance, branch.key),
        "choose_url": promote_url(asset, instance),
        "answer": answer,
        "replaced": promotion.replaced,
        "lacks": what_is_lacking(viewer, branch),
        "may_override": answer.not_met > 0 and may_override(viewer, branch),
    }
    return render(request, "promoting/promote.html", context, status=again.status)


def _choose(request: HttpRequest, asset: Asset, instance: Instance) -> HttpResponse:
    """To which branch."""
    main = Case(When(key__in=MAIN_BRANCHES, then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = Branch.objects.visible_to(viewer_of(request)).filter(project=asset.branch.project_id)
    others = list(rows.exclude(pk=asset.branch_id).order_by(main, "-pk")[: MOST_BRANCHES + 1])
    context = {
        **branch_frame(request, asset.branch, asset.kind, asset),
        "json_url": "",
        "asset": asset,
        "instance": instance,
        "instance_url": instance_url(asset, instance),
        "offered": [(row.name, promote_url(asset, instance, row.key)) for row in others[:MOST_BRANCHES]],
        "more": len(others) > MOST_BRANCHES,
        "promote_url": promote_url(asset, instance),
    }
    return render(request, "promoting/choose_branch.html", context)
