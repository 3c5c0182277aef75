"""What a copy on another branch says of where it comes from: the annotations of a promotion, which client and server
write alike.

======================== ===============================================================
``promoted_from_branch`` the branch of its direct source
``promoted_from_instance`` the id of its direct source
``promoted_by``          who promoted it
``promoted_from_chain``  every instance that it descends from, the first one first, each
                         with ``branch``, ``instance``, ``ref`` and ``created_at``, and
                         with ``promoted_by`` where it is a copy itself
======================== ===============================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from obproject.branches import branch_key

PROMOTED_FROM = "promoted_from_instance"
MOST_TAKES = 20
"""How often a copy that is deleted as soon as it is made is made again."""


def with_origin(
    annotations: Mapping[str, Any], *, branch: str, instance: str, ref: str, created_at: Any, promoter: str
) -> dict[str, Any]:
    """Return the annotations of a copy: those of its source, an instance on ``branch``, and where it comes from."""
    said = dict(annotations)
    # By this key deploy tools find what they declared, which a copy of a definition is not.
    said.pop("_config_hash", None)
    step = {"branch": branch, "instance": instance, "ref": ref, "created_at": created_at}
    if "promoted_by" in said:
        step["promoted_by"] = said["promoted_by"]
    return said | {
        "promoted_from_branch": branch,
        PROMOTED_FROM: instance,
        "promoted_by": promoter,
        "promoted_from_chain": [*_earlier_steps(said), step],
    }


def copy_key(source_id: str, target: str, take: int) -> str:
    """Return the key under which an instance is copied to a branch for the nth time: the same for all who do it."""
    return hashlib.sha256(f"promotion/{source_id}/{branch_key(target)}/{take}".encode()).hexdigest()


def _earlier_steps(annotations: Mapping[str, Any]) -> list[Any]:
    """Return the chain behind an instance; one that another client promoted names its direct source only."""
    chain = annotations.get("promoted_from_chain")
    if isinstance(chain, list):
        return chain
    if PROMOTED_FROM not in annotations:
        return []
    return [{"branch": annotations.get("promoted_from_branch"), "instance": annotations[PROMOTED_FROM]}]
