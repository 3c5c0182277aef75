"""Pythons that have imported Metaflow already, one for each configuration of it, as the demo has them."""

from collections.abc import Mapping
from contextlib import ExitStack

from examples.warm import Configuration, configuration_of, warm_python

_PYTHONS: dict[Configuration, str] = {}
_UNTIL_THE_END = ExitStack()


def python_for(environment: Mapping[str, str]) -> str:
    """The program that stands for Python where flows are run with this environment; it is there until `end`."""
    configuration = configuration_of(environment)
    if configuration not in _PYTHONS:
        _PYTHONS[configuration] = _UNTIL_THE_END.enter_context(warm_python(environment))
    return _PYTHONS[configuration]


def end() -> None:
    """End them all."""
    _PYTHONS.clear()
    _UNTIL_THE_END.close()
