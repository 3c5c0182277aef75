"""A step that is only tried out: Metaflow's ``spin`` runs it again, on what an earlier run left.

Nobody else can read what such a step stores, and Metaflow leaves out of it all decorators that are not on a list of its
own, so nobody would say how it ended. So it reads the catalogue and writes nothing to it: no registration, no
consumption, no alias, no highlight, no deletion, no promotion, no evaluation and no event.
"""

from __future__ import annotations

from typing import Any

from obproject.notices import tell_once

_SPIN = "spin"


def is_spinning() -> bool:
    """Say whether the code that runs now belongs to a step that is only tried out."""
    from metaflow import current

    # `spin` and `--mode spin` have metadata of their own, which Metaflow's own sign of a running task names.
    return str(getattr(current, "_metadata_str", None)).partition("@")[0] == _SPIN


def flow_tried_out() -> Any:
    """Return the flow of the step that is only tried out; None where there is none."""
    if not is_spinning():
        return None
    try:
        from metaflow.system_context import system_context
    except ImportError:  # an older Metaflow
        return None
    return system_context.flow


def holds_back() -> bool:
    """Say whether a write is to be left out because the step is only tried out; at the first time print a line."""
    if not is_spinning():
        return False
    tell_once("this step is only tried out (spin): the catalogue is read, and nothing is written to it.")
    return True
