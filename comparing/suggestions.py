"""What a version may be compared with: the one before it, what is in use, the same asset on other branches."""

from collections.abc import Iterator
from dataclasses import dataclass

from access.identity import Viewer
from catalog.models import Asset, Instance
from catalog.pagekit.comparisons import in_order_of_use
from comparing.found import Version
from comparing.references import written
from comparing.sentences import Name, Sentence

ALIASES = 4
BRANCHES = 4


@dataclass(frozen=True)
class Suggestion:
    """`text` is what `of` says of it."""

    text: str
    label: Sentence


def suggestions(viewer: Viewer, home: Asset, chosen: Version | None) -> list[Suggestion]:
    """For the version that is chosen, or (None) for the newest one of the asset at hand."""
    asset = chosen.asset if chosen else home
    if asset.branch.project.perimeter_id != home.branch.project.perimeter_id:
        return []  # there is only its id to call it by
    instance = chosen.instance if chosen else home.newest_ready
    return [*_of_the_same(home, asset, instance), *_elsewhere(viewer, home, asset)]


def text_of(reference: str, asset: Asset, home: Asset) -> str:
    """An entry for an asset of the same perimeter, as the page of the asset at hand says it."""
    branch, own = asset.branch, home.branch
    project = branch.project.name if branch.project_id != own.project_id else ""
    key = branch.key if branch.pk != own.pk else ""
    is_same = (asset.kind, asset.asset_id) == (home.kind, home.asset_id)
    names = {} if is_same else {"kind": asset.kind, "asset_id": asset.asset_id}
    return written(reference, project=project, key=key, **names)


def _of_the_same(home: Asset, asset: Asset, instance: Instance | None) -> Iterator[Suggestion]:
    if instance and instance.number > 1:
        before = f"v{instance.number - 1}"
        yield Suggestion(text_of(before, asset, home), Sentence(f"{before}, the one before"))
    others = [name for name, uid in asset.alias_index.items() if not instance or uid != instance.uid]
    for name in in_order_of_use(others)[:ALIASES]:
        yield Suggestion(text_of(f"@{name}", asset, home), Sentence(Name(f"@{name}")))


def _elsewhere(viewer: Viewer, home: Asset, asset: Asset) -> Iterator[Suggestion]:
    others = Asset.objects.visible_to(viewer).live().on_other_branches(asset).exclude(newest_ready=None)
    for row in others.with_place()[:BRANCHES]:
        yield Suggestion(text_of("latest", row, home), Sentence("the newest on ", Name(row.branch.name)))
