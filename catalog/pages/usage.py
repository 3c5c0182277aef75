"""The lines of code that load an asset."""

from catalog.models import Asset, Instance, Kind

EXAMPLES = {
    Kind.DATA.value: 'self.rows = load_rows()\nself.prj.register_data("transactions", "rows")',
    Kind.MODELS.value: 'self.model = train(rows)\nself.prj.register_model("churn_model", "model")',
}


def code_to_use(asset: Asset, instance: Instance | None = None) -> str:
    """In a flow: the newest, or (with an instance) exactly this one."""
    singular, shown = Kind(asset.kind).singular, instance or asset.newest_ready
    what = f'"{asset.asset_id}"' + (f', instance="{instance.ref}"' if instance else "")
    if shown is None:
        return (
            f"reference = self.prj.asset.consume_{singular}_asset({what})\n"
            f'properties = self.prj.asset.get_properties("{asset.asset_id}")'
        )
    if shown.asset_kind == "artifact":
        return f"self.{singular} = self.prj.get_{singular}({what})"
    return (
        f"reference = self.prj.asset.consume_{singular}_asset({what})\n"
        f'blobs = reference["{singular}_properties"]["blobs"]'
    )
