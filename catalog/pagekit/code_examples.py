"""The lines of code that pages offer: to register an asset, to load one, to point a flow at this server."""

import json
from dataclasses import dataclass

from django.http import HttpRequest

from catalog.addresses import home_url
from catalog.models import Asset, Instance
from catalog.states import Kind
from obproject.first_steps import settings_lines

EXAMPLES = {
    Kind.DATA.value: 'self.rows = load_rows()\nself.prj.register_data("transactions", "rows")',
    Kind.MODELS.value: 'self.model = train(rows)\nself.prj.register_model("churn_model", "model")',
}

HIGHLIGHT_EXAMPLE = """@highlight
@step
def end(self):
    self.highlight.title = "The new model is better"
    self.highlight.add_column("0.91", "AUC")"""

EVALUATION_EXAMPLE = """self.prj.evals.log(
    {"model": "churn_model v12", "accuracy": 0.91})"""

METRIC_EXAMPLE = """self.prj.register_model("churn_model", "model",
    annotations={"auc": 0.91})"""

METRICS_DECLARED = """[metrics.auc]
better = "higher"
headline = true"""


def settings_to_point_here(request: HttpRequest) -> str:
    """The settings with which a flow finds this server."""
    return settings_lines(_site_of(request), with_token=not getattr(request, "signed_in_locally", False))


@dataclass(frozen=True)
class Code:
    """How code gets at the newest version of an asset, or at one of its versions: both forms run as they are copied."""

    in_flow: str
    """The body of a step."""
    outside: str
    """A script, an app or a notebook: it names project, branch and server."""

    @classmethod
    def of(cls, request: HttpRequest, asset: Asset, instance: Instance | None = None) -> "Code":
        door = _door(request, asset)
        if asset.is_evaluation_log:
            loop = "for entry in {}.entries():\n    print(entry.created_at, entry.values)"
            imports = "from obproject import Asset, EvalsLogger"
            logger = "EvalsLogger(asset=asset)"
            return cls(loop.format("self.prj.evals"), f"{imports}\n\n{door}\n{loop.format(logger)}")
        imports = "from obproject import Asset"
        outside = _reading(asset, instance, getter="asset", door="asset")
        return cls(
            _reading(asset, instance, getter="self.prj", door="self.prj.asset", keeper="self."),
            f"{imports}\n\n{door}\n{outside}",
        )


def _reading(asset: Asset, instance: Instance | None, *, getter: str, door: str, keeper: str = "") -> str:
    """Lines that read an asset. `getter` loads artifacts, `door` reads all else; `keeper` is where an artifact goes."""
    kind, shown = Kind(asset.kind).singular, instance or asset.newest_ready
    what = f'"{asset.asset_id}"' + (f', instance="{instance.ref}"' if instance else "")
    if shown is not None and shown.asset_kind == "artifact":
        return f"{keeper}{kind} = {getter}.get_{kind}(\n    {what})"
    reference = f"reference = {door}.consume_{kind}_asset(\n    {what})"
    if shown is None and not asset.declared_blobs:
        return f'{reference}\nproperties = {door}.get_properties(\n    "{asset.asset_id}", kind="{kind}")'
    return f'{reference}\nblobs = reference["{kind}_properties"]["blobs"]'


def _door(request: HttpRequest, asset: Asset) -> str:
    """Lines that name where an asset is, one argument each, so that none is long."""
    branch, project = asset.branch, asset.branch.project
    names = json.dumps(project.name), json.dumps(branch.name, ensure_ascii=False)
    settings = f'perimeter="{project.perimeter.name}"', f'url="{_site_of(request)}"'
    arguments = ",\n    ".join((*names, *settings))
    token = "" if getattr(request, "signed_in_locally", False) else "  # your token in ASSETSITE_TOKEN"
    return f"asset = Asset(\n    {arguments}){token}"


def _site_of(request: HttpRequest) -> str:
    return request.build_absolute_uri(home_url()).rstrip("/")
