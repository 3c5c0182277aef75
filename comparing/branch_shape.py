"""A comparison of two branches as JSON."""

from typing import Any

from catalog.addresses import branch_url
from catalog.models import Branch
from catalog.wire.shapes import time_shape
from comparing.branch_words import lede_of, limits_said, look_of
from comparing.branches import BranchComparison
from comparing.pairs import Fate, Pair, values_said

Json = dict[str, Any]


def shape_of(found: BranchComparison, next_url: str | None = None) -> Json:
    """`better`, `worse`, `new` and `gone` are numbers; lists hold what is on this page, `next` leads to the rest."""
    return {
        "sentence": str(found.sentence),
        "said": str(lede_of(found)),
        "base": _branch(found.base),
        "head": _branch(found.head),
        "as_of": time_shape(found.as_of),
        "complete": not found.is_cut,
        "better": found.better,
        "worse": found.worse,
        "mixed": len(found.of(Fate.MIXED)),
        "new": found.new,
        "gone": found.gone,
        "newer": len(found.of(Fate.NEWER)),
        "older": len(found.of(Fate.OLDER)),
        "same": len(found.of(Fate.SAME)),
        "differences": len(found.differences),
        "models": [_pair(pair) for pair in found.models],
        "data": [_pair(pair) for pair in found.data],
        "not_built_here": [_pair(pair) for pair in found.of(Fate.NOT_BUILT)[found.start :][:100]],
        "not_built_here_count": len(found.of(Fate.NOT_BUILT)),
        "definitions": [one.shape for one in found.definitions],
        "definitions_count": found.definitions_total,
        "lineage": {
            "added": [arrow.shape for side, arrow in found.shown_arrows if side == "added"],
            "removed": [arrow.shape for side, arrow in found.shown_arrows if side == "removed"],
            "added_count": len(found.arrows.added),
            "removed_count": len(found.arrows.removed),
            "not_run_here": found.arrows.resting_components[:100],
            "hidden": found.arrows.hidden,
        },
        "moved": {
            "versions": found.moved.versions,
            "at_least": found.moved.at_least,
            "assets": len(found.moved.assets),
            "since": time_shape(found.moved.since),
            "since_first_deploy": found.moved.is_since_deploy,
        },
        "notes": limits_said(found),
        "next": next_url,
    }


def _branch(branch: Branch) -> Json:
    spec = branch.spec
    deploy = None
    if spec is not None:
        deploy = {"version_id": spec.version_id, "at": time_shape(spec.at), "by": spec.actor}
    return {"key": branch.key, "name": branch.name, "url": branch_url(branch), "deploy": deploy}


def _pair(pair: Pair) -> Json:
    return {
        "kind": pair.row.kind,
        "asset": pair.row.asset_id,
        "name": pair.title,
        "state": pair.fate.value,
        "said": look_of(pair).word,
        "base_ref": pair.base_ref or None,
        "ref": pair.head_ref or None,
        "metrics": [delta.shape for delta in pair.deltas],
        "looked_up": pair.is_judged,
        "because": str(pair.because) or None,
        "also_worse": [delta.shape for delta in pair.also_worse],
        "values": str(values_said(pair)) or None,
        "renamed": str(pair.renamed) or None,
        "note": str(pair.unsettled) or None,
    }
