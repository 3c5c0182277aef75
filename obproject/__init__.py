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
    from obproject.flow import ProjectFlow

__all__ = ["Asset", "AssetInstance", "DeleteResult", "EntityRef", "ProjectFlow", "errors"]

METAFLOW_PACKAGE_POLICY = "include"
"""Tells Metaflow to ship this package with the code of a flow."""

_HOMES = {
    "Asset": "obproject.assets",
    "AssetInstance": "obproject.instances",
    "DeleteResult": "obproject.assets",
    "EntityRef": "obproject.entities",
    "ProjectFlow": "obproject.flow",
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
