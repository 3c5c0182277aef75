"""Addresses of pages, each written here and nowhere else: from the root of the host, quoted, without a query but for
the question that `compare_url` asks, the `to` of a move or a promotion, and the view of a lineage.

`*_path` is the same address with its names in plain text, as the API gives it behind the scheme and host of the site.
The path below which the site is served (`FORCE_SCRIPT_NAME`, from ASSETSITE_PUBLIC_URL) begins them all. It is read
from the settings, as Django's own note of it is one for each thread.
"""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote, urlencode

from django.conf import settings
from django.http import HttpRequest

from catalog.models import Asset, Branch, Component, Highlight, Instance, Project, PromotionRequest

COMPONENT_SEGMENTS = {
    Component.Kind.FLOW.value: "flows",
    Component.Kind.DEPLOYMENT.value: "deployments",
    Component.Kind.PERSON.value: "people",
}
"""The kinds of components that have a page of their own, and how its address names them."""

AUDIT = "audit"
WEBHOOKS = "webhooks"
"""The page of that name, unless a project is called so."""

ATTENTION = "attention"
"""The same."""

ATOM = ".atom"
"""The suffix of a page's feed."""

WATCH = "watch"
"""Where people say which mail they want, below an asset or a branch."""

_IN_NAMES = "@+:~"
"""What names of perimeters, projects and assets may hold and a browser leaves alone."""

_IN_QUESTIONS = "/:,@"
"""What references may hold and a query string has as it is."""

_IN_SUB_PATHS = "~!$&'()*+,;=:@"
"""What the path below which the site is served may hold and is not percent-encoded, as in ASSETSITE_PUBLIC_URL."""


def root_url() -> str:
    """Below which all addresses are: empty, or such as `/assets`."""
    return _root(settings.FORCE_SCRIPT_NAME)


def home_url() -> str:
    return f"{root_url()}/"


def page_url(request: HttpRequest) -> str:
    """The page that is asked for."""
    return root_url() + quote(request.path_info, safe="/" + _IN_NAMES)


def perimeter_url(name: str) -> str:
    return f"{root_url()}/{_segment(name)}"


def audit_url(perimeter: str, *, beside: bool = False) -> str:
    """Who changed what in a perimeter; `beside` a project that is called so, at an address that no project can have."""
    return f"{perimeter_url(perimeter)}/{'~' if beside else ''}{AUDIT}"


def webhooks_url(perimeter: str) -> str:
    """The webhooks of a perimeter, at an address that no project can have. Without the ~ it leads there, too."""
    return f"{perimeter_url(perimeter)}/~{WEBHOOKS}"


def first_steps_url(perimeter: str) -> str:
    """What to do so that a first run arrives, at an address that no project can have."""
    return f"{perimeter_url(perimeter)}/~first-steps"


def webhook_url(perimeter: str, pk: int) -> str:
    return f"{webhooks_url(perimeter)}/{pk}"


def attention_url(perimeter: str, *, beside: bool = False) -> str:
    """What needs attention in a perimeter; `beside` a project that is called so, as of the audit page."""
    return f"{perimeter_url(perimeter)}/{'~' if beside else ''}{ATTENTION}"


def branch_attention_url(branch: Branch) -> str:
    """What needs attention on a branch."""
    return f"{branch_url(branch)}/{ATTENTION}"


def project_url(project: Project) -> str:
    return project_url_by_names(project.perimeter.name, project.name)


def project_url_by_names(perimeter: str, name: str) -> str:
    return f"{perimeter_url(perimeter)}/{_segment(name)}"


def branch_url(branch: Branch) -> str:
    return branch_url_by_key(branch.project, branch.key)


def branch_url_by_key(project: Project, key: str) -> str:
    """A branch of which only the key is at hand."""
    return f"{project_url(project)}/{_segment(key)}"


def branch_url_by_names(perimeter: str, project: str, key: str) -> str:
    """A branch of which only the names are at hand."""
    return f"{project_url_by_names(perimeter, project)}/{_segment(key)}"


def branch_path(perimeter: str, project: str, key: str) -> str:
    return f"{root_url()}/{perimeter}/{project}/{key}"


def compare_branches_url(project: Project, base: str, head: str, suffix: str = "") -> str:
    """The comparison of two branches by their keys: what is on `head`, as seen from `base`.

    No git name has two dots in it, so three of them hide no branch that is called `compare`.
    """
    return f"{project_url(project)}/compare/{_segment(base)}...{_segment(head)}{suffix}"


def kind_url(branch: Branch, kind: str) -> str:
    """The listing of one kind, or of both (`kind` empty)."""
    return f"{branch_url(branch)}/{kind or 'assets'}"


def asset_url(asset: Asset) -> str:
    return asset_url_by_id(asset.branch, asset.kind, asset.asset_id)


def asset_url_by_id(branch: Branch, kind: str, asset_id: str) -> str:
    """An asset of which only the names are at hand."""
    return asset_url_below(branch_url(branch), kind, asset_id)


def asset_url_below(branch: str, kind: str, asset_id: str) -> str:
    """An asset on a branch whose address is at hand."""
    return f"{branch}/{kind}/{_segment(asset_id)}"


def asset_path(asset: Asset) -> str:
    return f"{_branch_path(asset.branch)}/{asset.kind}/{asset.asset_id}"


def instance_url(asset: Asset, instance: Instance) -> str:
    return f"{asset_url(asset)}/{instance.ref}"


def deprecate_url(asset: Asset, instance: Instance) -> str:
    """Where a version is deprecated, or that is undone."""
    return f"{instance_url(asset, instance)}/deprecate"


def delete_url(asset: Asset) -> str:
    """Where an asset is deleted, after a question."""
    return f"{asset_url(asset)}/delete"


def normal_url(asset: Asset) -> str:
    """Where one says that an asset has changed its ways."""
    return f"{asset_url(asset)}/normal"


def watch_url(asset: Asset) -> str:
    """Where a person says which mail they want about an asset."""
    return f"{asset_url(asset)}/{WATCH}"


def branch_watch_url(branch: Branch) -> str:
    """The same of a branch."""
    return f"{branch_url(branch)}/{WATCH}"


def feed_of(page: str) -> str:
    """The Atom feed of a page that has one."""
    return f"{page}{ATOM}"


def deleted_url(branch: Branch) -> str:
    """What was deleted on a branch, and can be recovered."""
    return f"{branch_url(branch)}/deleted"


def cards_url(asset: Asset, instance: Instance) -> str:
    """The cards that a version has, as JSON."""
    return f"{instance_url(asset, instance)}/cards.json"


def aliases_url(asset: Asset) -> str:
    """What its aliases led to, move by move."""
    return f"{asset_url(asset)}/aliases"


def alias_url(asset: Asset, alias: str) -> str:
    """An alias over time."""
    return f"{aliases_url(asset)}/{_segment(alias)}"


def requests_url(asset: Asset) -> str:
    """What waits for approvals."""
    return f"{asset_url(asset)}/requests"


def request_url(promotion: PromotionRequest) -> str:
    """A request that waits, or has waited, for approvals."""
    return f"{asset_url_by_id(promotion.branch, promotion.kind, promotion.asset_id)}/requests/{promotion.pk}"


def request_path(promotion: PromotionRequest) -> str:
    return f"{_branch_path(promotion.branch)}/{promotion.kind}/{promotion.asset_id}/requests/{promotion.pk}"


def move_url(asset: Asset, alias: str, to: str = "") -> str:
    """Where an alias is moved, after a look at what its gates say."""
    return _asking(f"{alias_url(asset, alias)}/move", to)


def choose_alias_url(asset: Asset, to: str = "") -> str:
    """Where one chooses the alias that is to be moved to a version."""
    return _asking(f"{asset_url(asset)}/move", to)


def delete_alias_url(asset: Asset, alias: str) -> str:
    return f"{alias_url(asset, alias)}/delete"


def promote_url(asset: Asset, instance: Instance, to: str = "") -> str:
    """Where a version is promoted to a branch, given by its key."""
    return _asking(f"{instance_url(asset, instance)}/promote", to)


def film_url(asset: Asset) -> str:
    return f"{asset_url(asset)}/film"


def compare_url(asset: Asset, refs: Sequence[str], base: str = "") -> str:
    """The comparison of versions: of this asset, as `v3`, or of others, as `feature_x/models/churn_model:v2`."""
    return compare_url_below(asset_url(asset), refs, base)


def compare_url_below(asset: str, refs: Sequence[str], base: str = "") -> str:
    """The same of an asset whose address is at hand."""
    texts = refs if any("," in ref for ref in refs) else [",".join(refs)]
    asked = [*(("of", text) for text in texts), *([("base", base)] if base else [])]
    return f"{_versions_url_below(asset)}?{urlencode(asked, safe=_IN_QUESTIONS)}"


def evaluations_url(branch: Branch) -> str:
    return f"{branch_url(branch)}/evaluations"


def highlights_url(branch: Branch) -> str:
    return f"{branch_url(branch)}/highlights"


def highlight_url(highlight: Highlight) -> str:
    return f"{highlights_url(highlight.branch)}/{highlight.uid}"


def highlight_path(highlight: Highlight) -> str:
    return f"{_branch_path(highlight.branch)}/highlights/{highlight.uid}"


def component_url(branch: Branch, kind: str, name: str) -> str:
    """The page of a flow, a deployment or a person as seen from a branch; others have none, which is empty."""
    return component_url_below(branch_url(branch), kind, name)


def component_url_below(branch: str, kind: str, name: str) -> str:
    """The same from a branch whose address is at hand."""
    segment = COMPONENT_SEGMENTS.get(kind)
    return f"{branch}/{segment}/{quote(name, safe='')}" if segment and name else ""


def branch_lineage_url(branch: Branch) -> str:
    return f"{branch_url(branch)}/lineage"


def asset_metrics_url(asset: Asset) -> str:
    return f"{asset_url(asset)}/metrics"


def asset_lineage_url(asset: Asset) -> str:
    return f"{asset_url(asset)}/lineage"


def impact_url_below(asset: str) -> str:
    """What depends on an asset whose address is at hand."""
    return f"{asset}/lineage?view=impact"


def instance_lineage_url(asset: Asset, instance: Instance) -> str:
    return f"{instance_url(asset, instance)}/lineage"


def versions_url(asset: Asset) -> str:
    """Where versions of an asset are compared, with each other and with those of others."""
    return _versions_url_below(asset_url(asset))


def _versions_url_below(asset: str) -> str:
    return f"{asset}/compare"


def _asking(address: str, to: str) -> str:
    return f"{address}?{urlencode([('to', to)], safe=_IN_QUESTIONS)}" if to else address


def _branch_path(branch: Branch) -> str:
    return branch_path(branch.project.perimeter.name, branch.project.name, branch.key)


@lru_cache(maxsize=4)
def _root(script_name: str) -> str:
    return quote(script_name, safe="/" + _IN_SUB_PATHS)


@lru_cache(maxsize=4096)  # a page writes the same few names again and again
def _segment(name: str) -> str:
    return quote(name, safe=_IN_NAMES)
