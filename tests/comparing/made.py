"""Inputs and deltas for tests, made without a database."""

from hypothesis import HealthCheck, settings

from catalog.declared_metrics import DeclaredMetrics
from comparing.deltas import NOT_MEASURED, Side, delta_of, rules_of
from comparing.noise import Noise
from comparing.sameness import Comparability, Data
from lineage.graph import Input, Inputs, Kind, Node

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties of values: how long an example takes on a busy machine is none of them."""
SAME, OTHER, UNKNOWN = (Comparability(data) for data in Data)


def read(name, version="v4", role="", *, digest="", origin=None, branch="main", kind=Kind.DATA):
    """An input: a version of an asset on a branch; without a version its definition."""
    node = Node(
        f"{branch}/{name}/{version}", kind, name.title(), key=name, branch=branch, version=version, digest=digest
    )
    return Input(node, origin or ("instance", branch, name, version), role)


def hidden(origin="secret", role=""):
    return Input(Node("hidden 1", Kind.HIDDEN, ""), ("instance", origin), role)


def inputs(*read_, complete=True):
    return Inputs(tuple(read_), complete)


def delta(name, base, other, *, data=SAME, noise=None, declared=None):
    """A delta between two values, None: not measured."""
    metrics = DeclaredMetrics.of([{"name": name, **(declared or {})}])
    size = Noise(noise, declared=True) if noise is not None else None
    return delta_of(name, side(base), side(other), rules_of(name, metrics, metrics), data, size)


def side(value):
    if isinstance(value, Side):
        return value
    return NOT_MEASURED if value is None else Side(value)
