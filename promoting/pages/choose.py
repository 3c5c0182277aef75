"""Which alias is to be moved to a version, or which version an alias is to be moved to."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from access.identity import viewer_of
from catalog.addresses import asset_url, instance_url, move_url
from catalog.models import Asset, Instance
from catalog.pagekit.comparisons import in_order_of_use
from catalog.pagekit.editing import what_is_lacking
from catalog.pagekit.frame import branch_frame
from catalog.pagekit.places import at_place
from catalog.reading import Place, find_asset, find_instance
from promoting.pages.decided import Json, checked_alias

USUAL = ("candidate", "validated", "production")
"""The aliases that a promotion gives where a project does not say otherwise."""
MOST_ALIASES = 30
MOST_VERSIONS = 20


@at_place
def choose_alias_page(request: HttpRequest, place: Place, kind: str, asset_id: str) -> HttpResponse:
    """To the page of the move once an alias is named, or typed."""
    asset = find_asset(viewer_of(request), place, kind, asset_id)
    reference = request.GET.get("to", "").strip() or "latest"
    to = find_instance(asset, reference)
    ref = to.instance.ref if to.instance else to.uid
    if name := request.GET.get("alias", "").strip().removeprefix("@"):
        return HttpResponseRedirect(move_url(asset, checked_alias(name), ref))
    refs = _refs(asset)
    names = [name for name in in_order_of_use(asset.alias_index) if asset.alias_index[name] != to.uid]
    unused = [name for name in USUAL if name not in asset.alias_index]
    offered = [(name, refs.get(asset.alias_index[name], ""), move_url(asset, name, ref)) for name in names]
    context: Json = {
        "ref": to.instance.ref if to.instance else "the definition",
        "ref_url": instance_url(asset, to.instance) if to.instance else asset_url(asset),
        "to": ref,
        "there": [name for name in in_order_of_use(asset.alias_index) if asset.alias_index[name] == to.uid],
        "offered": offered[:MOST_ALIASES],
        "more": max(0, len(offered) - MOST_ALIASES),
        "unused": [(name, move_url(asset, name, ref)) for name in unused],
    }
    return _page(request, asset, "promoting/choose_alias.html", context)


def choose_version(request: HttpRequest, asset: Asset, alias: str) -> HttpResponse:
    """The newest ready versions, and a field for any other."""
    rows = Instance.objects.of(asset).in_states(()).latest_first().only("number", "uid", "created_at", "description")
    held = asset.alias_index.get(alias)
    context: Json = {
        "alias": alias,
        "offered": [(row, move_url(asset, alias, row.ref)) for row in rows[:MOST_VERSIONS] if row.uid != held],
        "move_url": move_url(asset, alias),
    }
    return _page(request, asset, "promoting/choose_version.html", context)


def _page(request: HttpRequest, asset: Asset, template: str, context: Json) -> HttpResponse:
    around = {
        **branch_frame(request, asset.branch, asset.kind, asset),
        "json_url": "",
        "asset": asset,
        "asset_url": asset_url(asset),
        "lacks": what_is_lacking(viewer_of(request), asset.branch),
    }
    return render(request, template, around | context)


def _refs(asset: Asset) -> dict[str, str]:
    """How the versions are called that aliases lead to, by their ids."""
    rows = Instance.objects.of(asset).filter(uid__in=asset.alias_index.values()).values_list("uid", "number")
    return {uid: f"v{number}" for uid, number in rows} | {asset.definition_uid: "the definition"}
