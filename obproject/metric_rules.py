"""What a project may declare of an asset's metrics, and of what comparisons leave out.

Client and server both import this module: ``obproject-deploy`` names what is wrong by file and key before anything is
sent, and the catalogue refuses it from any client. Each check returns what it was given, or raises ValueError with a
part of a sentence. Standard library only.
"""

import math

from obproject import lengths
from obproject.metric_names import is_reserved, names_no_metric

METRIC_KEYS = ("better", "headline", "noise", "unit")
"""What may be declared of a metric."""
BETTER = ("higher", "lower", "none")
"""Which way a metric is better."""


def check_metric_name(name: str) -> str:
    """Check that an annotation of this name could be a metric."""
    if not name.strip():
        raise ValueError("a metric needs a name with something in it")
    if len(name) > lengths.KEY_LENGTH:
        raise ValueError(f"found a name of {len(name):,} characters, expected at most {lengths.KEY_LENGTH:,}")
    if is_reserved(name):
        raise ValueError("this name is reserved for what an instance comes from, so it is never a metric")
    if names_no_metric(name):
        raise ValueError("this is the name of an identity or of a moment, so its numbers are never taken for a metric")
    return name


def check_better(word: str) -> str:
    """Check a word of BETTER."""
    if word not in BETTER:
        raise ValueError(f"found {_shorten(word)}, expected one of {', '.join(BETTER)}")
    return word


def check_noise(number: float) -> float:
    """Check the size of a change that says nothing; return it as a float."""
    try:
        size = float(number)
    except OverflowError:
        size = math.inf
    if not (math.isfinite(size) and size > 0):
        raise ValueError("expected a finite number above 0")
    return size


def check_unit(unit: str) -> str:
    """Check what stands behind the values of a metric."""
    if unit.splitlines() != [unit] or unit != unit.strip():
        raise ValueError("expected one line of text without blanks around it")
    if len(unit) > lengths.UNIT_LENGTH:
        raise ValueError(f"found {len(unit):,} characters, expected at most {lengths.UNIT_LENGTH:,}")
    return unit


def check_left_out(name: str) -> str:
    """Check the name of what comparisons leave out, or the beginning of names with a ``*`` behind it."""
    if not name.rstrip("*").strip():
        raise ValueError("expected a name, or the beginning of names with a * behind it")
    if "*" in name[:-1]:
        raise ValueError("found a * before the end, expected none or one behind the beginning of names")
    if len(name) > lengths.KEY_LENGTH:
        raise ValueError(f"found {len(name):,} characters, expected at most {lengths.KEY_LENGTH:,}")
    return name


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
