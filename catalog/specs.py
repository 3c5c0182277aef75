"""The flowproject spec: what a posted one says of definitions, and how its lists agree with the catalogue."""

import json
from typing import Any

from access.errors import BadRequest
from catalog import limits
from catalog.models import Asset, Branch
from catalog.states import Kind

Json = dict[str, Any]
ENRICHES = {
    # in a spec's entry: (on the asset, longest)
    "display_name": ("name", limits.NAME_LENGTH),
    "description": ("description", limits.DESCRIPTION_LENGTH),
    "icon": ("icon", limits.ICON_LENGTH),
    "card_markdown": ("readme", limits.README_LENGTH),
}


def check_spec(spec: Any) -> Json:
    """The spec, if its declaration lists are lists and what they say of an asset can be kept."""
    if not isinstance(spec, dict):
        raise BadRequest("'spec' must be an object.", field="spec")
    for kind in Kind.values:
        entries = spec.get(kind, [])
        if not isinstance(entries, list):
            raise BadRequest(f"'spec.{kind}' must be a list.", field=f"spec.{kind}")
        for place, entry in enumerate(entries):
            if isinstance(entry, dict):
                _check_entry(entry, f"spec.{kind}.{place}")
    return spec


def _check_entry(entry: Json, where: str) -> None:
    for name, (_, longest) in ENRICHES.items():
        value = entry.get(name)
        if value is not None and not isinstance(value, str):
            raise BadRequest(f"'{where}.{name}' must be a string.", field=f"{where}.{name}")
        if value and len(value) > longest:
            raise BadRequest(f"'{where}.{name}' is longer than {longest} characters.", field=f"{where}.{name}")


def declarations(spec: Json) -> dict[tuple[str, str], Json]:
    """The declarations in a spec, by kind and id, with the fields of an asset; empty values are left out."""
    said: dict[tuple[str, str], Json] = {}
    for kind in Kind.values:
        for entry in spec.get(kind, []):
            if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                values = {field: entry.get(name) for name, (field, _) in ENRICHES.items() if entry.get(name)}
                if values.get("name") == entry["id"]:
                    del values["name"]  # a client that knows no better repeats the id
                said[kind, entry["id"]] = values
    return said


def agreed_spec(branch: Branch) -> Json | None:
    """The branch's spec with its lists in agreement with the catalogue; None if none is posted.

    Posted entries keep their content and order, those of deleted assets leave, assets that a list lacks are appended.
    """
    if branch.spec is None:
        return None
    spec: Json = json.loads(branch.spec.document)
    assets = Asset.objects.of(branch).select_related("newest_ready").order_by("asset_id", "pk")
    live = {(asset.kind, asset.asset_id): asset for asset in assets.filter(deleted_at=None)}
    gone = set(assets.exclude(deleted_at=None).values_list("kind", "asset_id")) - live.keys()
    for kind in Kind.values:
        kept = [entry for entry in spec.get(kind, []) if (kind, _id_of(entry)) not in gone]
        listed = {_id_of(entry) for entry in kept}
        lacking = [asset for (its, name), asset in live.items() if its == kind and name not in listed]
        spec[kind] = kept + [_entry_of(asset) for asset in lacking]
    return spec


def _id_of(entry: Any) -> str:
    found = entry.get("id") if isinstance(entry, dict) else None
    return found if isinstance(found, str) else ""


def _entry_of(asset: Asset) -> Json:
    entry = {
        "id": asset.asset_id,
        "display_name": asset.title,
        "description": asset.about,
        "card_markdown": asset.readme,
    }
    return entry | ({"icon": asset.icon} if asset.icon else {})
