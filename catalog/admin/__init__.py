"""Definitions in Django's admin: what deploys declared, what people set instead, and the history of both.

Only the properties of a live asset can be edited, through `catalog.recording`; all else is read-only, because it comes
from deploys and runs. Deleting is left to the API.
"""

from catalog.admin.assets import AssetAdmin
from catalog.admin.read_only import BranchAdmin, ProjectAdmin, SpecVersionAdmin
from catalog.admin.reconciling import MetadataSourceAdmin, MissedWriteAdmin, ReconciliationAdmin

__all__ = [
    "AssetAdmin",
    "BranchAdmin",
    "MetadataSourceAdmin",
    "MissedWriteAdmin",
    "ProjectAdmin",
    "ReconciliationAdmin",
    "SpecVersionAdmin",
]
