"""Watching: a person says which mail they want about an asset or a branch, how often, and that they want no more."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from access.errors import BadRequest, Conflict
from access.identity import Viewer, viewer_of
from catalog.addresses import asset_url, branch_url, branch_watch_url, watch_url
from catalog.models import Asset, Branch, Subscription
from catalog.outbox import TELLABLE
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place_of_form
from catalog.reading import Place, find_asset, find_branch
from catalog.shown.names import isolated
from catalog.states import EventKind
from telling.groups import FIRST_CHOICE, GROUPS, chosen, groups_in, in_words
from telling.subscriptions import NOBODY_HERE, find_subscription, person_of, stop, watch, why_no_mail


@dataclass(frozen=True)
class WatchForm:
    """What is chosen, as the form shows it: whole groups, and of the other kinds each."""

    chosen: list[str]
    daily: bool = False
    problem: str = ""

    @classmethod
    def of(cls, row: Subscription | None) -> "WatchForm":
        if row is None:
            return cls([kind.value for kind in FIRST_CHOICE])
        return cls(row.kinds or list(TELLABLE), row.daily)

    @property
    def groups(self) -> list[dict[str, Any]]:
        whole = groups_in(self.chosen)
        return [{"name": one.name, "label": one.label, "help": one.help, "chosen": one in whole} for one in GROUPS]

    @property
    def kinds(self) -> list[tuple[str, str, bool]]:
        """Value, words and whether it is chosen by itself, of each kind of event."""
        whole = {kind.value for group in groups_in(self.chosen) for kind in group.kinds}
        single = set(self.chosen) - whole
        return [(kind, str(EventKind(kind).label), kind in single) for kind in TELLABLE]

    @property
    def has_single_kinds(self) -> bool:
        return any(chosen for _, _, chosen in self.kinds)


@at_place_of_form
def watch_branch(request: HttpRequest, place: Place) -> HttpResponse:
    viewer = viewer_of(request)
    return _answer(request, viewer, find_branch(viewer, place), None)


@at_place_of_form
def watch_asset(request: HttpRequest, place: Place, kind: str, asset_id: str) -> HttpResponse:
    viewer = viewer_of(request)
    asset = find_asset(viewer, place, kind, asset_id)
    return _answer(request, viewer, asset.branch, asset)


def _answer(request: HttpRequest, viewer: Viewer, branch: Branch, asset: Asset | None) -> HttpResponse:
    if request.method != "POST":
        return _page(request, viewer, branch, asset)
    person = person_of(viewer)
    name = isolated(asset.title if asset else branch.name)
    if request.POST.get("act") == "stop":
        if row := find_subscription(person, branch, asset):
            stop(row)
        messages.success(request, f"You get no more mail about {name}.")
        return HttpResponseRedirect(_url(branch, asset))
    kinds = chosen(request.POST.getlist("groups"), request.POST.getlist("kinds"))
    daily = request.POST.get("when") == "daily"
    try:
        watch(viewer, branch, asset, kinds, daily=daily)
    except (BadRequest, Conflict) as refused:
        form = WatchForm(kinds, daily, refused.message)
        return _page(request, viewer, branch, asset, form, status=422)
    messages.success(request, f"You get mail about {name}, {'once a day' if daily else 'at once'}: {in_words(kinds)}.")
    return HttpResponseRedirect(_url(branch, asset))


def _url(branch: Branch, asset: Asset | None) -> str:
    return asset_url(asset) if asset else branch_url(branch)


def _page(
    request: HttpRequest,
    viewer: Viewer,
    branch: Branch,
    asset: Asset | None,
    form: WatchForm | None = None,
    status: int = 200,
) -> HttpResponse:
    person = viewer.person
    row = find_subscription(person, branch, asset) if person else None
    of_branch = find_subscription(person, branch, None) if person and asset else None
    context = {
        **branch_frame(request, branch, asset.kind if asset else "", asset),
        "json_url": "",
        "title": asset.title if asset else branch.name,
        "is_branch": asset is None,
        "back_url": _url(branch, asset),
        "here": watch_url(asset) if asset else branch_watch_url(branch),
        "branch_watch_url": branch_watch_url(branch) if of_branch else "",
        "told": in_words(row.kinds) if row else "",
        "daily": bool(row and row.daily),
        "address": person.email if person else "",
        "lacks": why_no_mail(person) if person else NOBODY_HERE,
        "form": form or WatchForm.of(row),
    }
    return render(request, "telling/watch.html", context, status=status)
