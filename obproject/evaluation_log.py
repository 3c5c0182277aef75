"""Which asset is the evaluation log of a branch. Client and server both ask this module. Standard library only."""

from __future__ import annotations

EVALUATION_LOG = "evaluation_log"
"""Id of the data asset that holds the evaluation log of a branch."""

EVALUATION = "evaluation"
"""The kind that each of its instances is registered with."""


def is_evaluation_log(asset_id: str, kind: str, asset_kind: str | None) -> bool:
    """Say whether an asset is the evaluation log of its branch, and not a user's asset of the same name.

    ``kind`` is ``data`` or ``model``. ``asset_kind`` is the kind that the newest instance was registered with; while
    there is no instance (None or empty), the name alone decides.
    """
    return kind == "data" and asset_id == EVALUATION_LOG and (not asset_kind or asset_kind == EVALUATION)
