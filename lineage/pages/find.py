"""Find nodes by a part of their name."""

from dataclasses import dataclass, field

from django.db.models import Max, Q

from access.identity import Viewer
from catalog.models import Asset, Branch, Component, Edge
from catalog.pagekit.query import Link, PageQuery
from lineage.component_rows import KINDS, asset_kind, component_id
from lineage.drawing import ICONS, WORDS
from lineage.graph import Kind

MOST = 20
LONGEST = 200


@dataclass(frozen=True)
class Finding:
    """The text of a search, and the nodes found, as links to the lineage around them. `cut`: there are more."""

    text: str = ""
    found: list[Link] = field(default_factory=list)
    cut: bool = False


def find_nodes(viewer: Viewer, branch: Branch, query: PageQuery) -> Finding:
    """The assets and components of a branch whose name has the text in `find`; without one no database query."""
    text = query.params.get("find", "").strip()[:LONGEST].replace("\0", "")
    if not text:
        return Finding()
    links = [*_assets(viewer, branch, text, query), *_components(viewer, branch, text, query)]
    return Finding(text, links[:MOST], len(links) > MOST)


def _assets(viewer: Viewer, branch: Branch, text: str, query: PageQuery) -> list[Link]:
    named = Q(asset_id__icontains=text) | Q(name__icontains=text)
    rows = Asset.objects.visible_to(viewer).filter(named, branch=branch, deleted_at=None)
    found = rows.only("asset_id", "name", "kind", "definition_uid").order_by("asset_id")[: MOST + 1]
    return [_link(asset_kind(row), row.title, row.asset_id, row.definition_uid, query) for row in found]


def _components(viewer: Viewer, branch: Branch, text: str, query: PageQuery) -> list[Link]:
    here = Q(write_branch=branch.key) | Q(asset__branch=branch)
    mine = Component.objects.visible_to(viewer).of_project(branch.project).filter(name__icontains=text)
    edges = Edge.objects.visible_to(viewer).filter(here, component__in=mine)
    rows = edges.exclude(direction=Edge.Direction.PROMOTED).order_by("component__name", "write_branch")
    columns = ("component__kind", "component__name", "component_id", "write_branch")
    found = rows.values_list(*columns).annotate(branch_name=Max("write_branch_name"))[: MOST + 1]
    links = []
    for kind, name, pk, key, branch_name in found:
        elsewhere = (branch_name or key) if key != branch.key else ""
        links.append(_link(KINDS.get(kind, Kind.UNKNOWN), name, elsewhere, component_id(pk, key), query))
    return links


def _link(kind: Kind, name: str, note: str, node: str, query: PageQuery) -> Link:
    """A link to the lineage around the node, without the nodes opened and the text searched before."""
    url = query.url(focus=node, find=None, open=None, view=None, to=None)
    return {"label": name, "note": note if note != name else "", "url": url, "word": WORDS[kind], "icon": ICONS[kind]}
