"""How large a change has to be to say something: `comparing.noise`."""

import pytest

from comparing.noise import VERSIONS, Noise, noise_of, steps_between


def always(one, other):
    return True


def test_what_is_declared_counts_the_bases_first():
    assert noise_of([0.002, 0.5], [1.0] * 9) == Noise(0.002, declared=True)
    assert noise_of([None, 0.5], [1.0] * 9) == Noise(0.5, declared=True)


def test_else_it_is_twice_the_median_step():
    assert noise_of([None, None], [1.0, 1.0, 2.0, 9.0, 9.0]) == Noise(4.0, declared=False, steps=5)


def test_of_fewer_than_five_steps_nothing_is_claimed():
    assert noise_of([None, None], [1.0, 1.0, 2.0, 9.0]) is None


def test_a_change_as_large_as_the_noise_is_none_whatever_floating_point_makes_of_it():
    noise = Noise(0.002, declared=True)
    assert [noise.hides(change) for change in (0.0019, -0.0019, 0.002, -0.002, 0.0021)] == [True, True, *[False] * 3]
    assert not Noise(0.1, declared=True).hides(0.8 - 0.9)
    assert not Noise(0.3, declared=True).hides(0.1 * 3 - 1e-17)


def test_no_noise_hides_nothing():
    assert not Noise(0.0, declared=True).hides(0.0)


def test_only_steps_on_the_same_data_count():
    versions = [("a", 1.0), ("a", 2.0), ("b", 5.0), ("b", 5.5)]
    assert steps_between(versions, lambda one, other: one == other) == [1.0, 0.5]


def test_versions_that_lack_the_metric_are_passed_over():
    assert steps_between([(1, 1.0), (2, None), (3, 4.0)], always) == [3.0]


def test_only_the_last_versions_are_looked_at():
    versions = [(number, float(number**2)) for number in range(1, 41)]
    steps = steps_between(versions, always)
    assert len(steps) == VERSIONS - 1
    assert min(steps) == 22**2 - 21**2


@pytest.mark.parametrize("versions", [[], [(1, 2.0)], [(1, None), (2, None)], [(1, 1e308), (2, -1e308)]])
def test_where_there_is_no_step_there_is_none(versions):
    assert steps_between(versions, always) == []
