"""How well the rule finds what is late, in the worlds of `worlds.py`; docs/freshness.md has the figures."""

import pytest

from tests.catalog.freshness.worlds import KINDS, MEASURED_ON, TUNED_ON, Measured, measure

FEW = ["weekdays", "monthly", "quarterly"]


def test_outages_are_found_and_nothing_else():
    for name in FEW:
        measured = measure(KINDS[name], [0])
        assert measured.outages
        assert (measured.found, measured.false_alarms) == (measured.outages, 0), name


@pytest.mark.long
def test_the_figures():
    assert set(TUNED_ON).isdisjoint(MEASURED_ON)
    total, means = Measured(), []
    for kind in KINDS.values():
        measured = measure(kind, MEASURED_ON[:3])
        if kind.asked:
            total += measured
            means.append(measured.false_a_year)
    assert total.share >= 0.97
    assert total.false_a_year <= 0.5
    assert sum(means) / len(means) <= 0.5
