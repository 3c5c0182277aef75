"""The flow side of assetsite: register and consume data and model assets from Metaflow projects.

Names are loaded when they are first used, so that importing a part of this package that needs no Metaflow, such as
``obproject.branches``, doesn't load it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obproject import errors
    from obproject.assets import Asset, AssetInstance, DeleteResult, EntityRef
    from obproject.evals import EvalsLogger
    from obproject.events import ProjectEvent
    from obproject.flow import ProjectFlow
    from obproject.highlights import highlight
    from obproject.promotion import promote_assets
    from obproject.triggers import project_schedule, project_trigger

__all__ = [
    "Asset",
    "AssetInstance",
    "DeleteResult",
    "EntityRef",
    "EvalsLogger",
    "ProjectEvent",
    "ProjectFlow",
    "errors",
    "highlight",
    "project_schedule",
    "project_trigger",
    "promote_assets",
]

METAFLOW_PACKAGE_POLICY = "include"
"""Tells Metaflow to ship this package with the code of a flow."""

_HOMES = {
    "Asset": "obproject.assets",
    "AssetInstance": "obproject.instances",
    "DeleteResult": "obproject.assets",
    "EntityRef": "obproject.entities",
    "EvalsLogger": "obproject.evals",
    "ProjectEvent": "obproject.events",
    "ProjectFlow": "obproject.flow",
    "highlight": "obproject.highlights",
    "project_schedule": "obproject.triggers",
    "project_trigger": "obproject.triggers",
    "promote_assets": "obproject.promotion",
}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("obproject.errors")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
