"""The lines of code that pages offer: to register an asset, to load one, to point a flow at this server."""

from django.http import HttpRequest

from catalog.models import Asset, Instance
from catalog.states import Kind

EXAMPLES = {
    Kind.DATA.value: 'self.rows = load_rows()\nself.prj.register_data("transactions", "rows")',
    Kind.MODELS.value: 'self.model = train(rows)\nself.prj.register_model("churn_model", "model")',
}

FIRST_FLOW = """from metaflow import step
from obproject import ProjectFlow


class TransactionsFlow(ProjectFlow):
    @step
    def start(self):
        self.rows = load_rows()
        self.prj.register_data("transactions", "rows")
        self.next(self.end)"""

HIGHLIGHT_EXAMPLE = """@highlight
@step
def end(self):
    self.highlight.title = "The new model is better"
    self.highlight.add_column("0.91", "AUC")"""

EVALUATION_EXAMPLE = """self.prj.evals.log(
    {"model": "churn_model v12", "accuracy": 0.91})"""


def settings_to_point_here(request: HttpRequest) -> str:
    """The settings with which a flow finds this server."""
    address = f"export ASSETSITE_URL={request.build_absolute_uri('/').rstrip('/')}"
    return address if getattr(request, "signed_in_locally", False) else f"{address}\nexport ASSETSITE_TOKEN=…"


def code_to_use(asset: Asset, instance: Instance | None = None) -> str:
    """In a flow: the newest, or (with an instance) exactly this one."""
    if asset.is_evaluation_log:
        return "for entry in self.prj.evals.entries():\n    print(entry.created_at, entry.values)"
    singular, shown = Kind(asset.kind).singular, instance or asset.newest_ready
    what = f'"{asset.asset_id}"' + (f', instance="{instance.ref}"' if instance else "")
    if shown is None:
        return (
            f"reference = self.prj.asset.consume_{singular}_asset(\n    {what})\n"
            f'properties = self.prj.asset.get_properties(\n    "{asset.asset_id}")'
        )
    if shown.asset_kind == "artifact":
        return f"self.{singular} = self.prj.get_{singular}(\n    {what})"
    return (
        f"reference = self.prj.asset.consume_{singular}_asset(\n    {what})\n"
        f'blobs = reference["{singular}_properties"]["blobs"]'
    )
