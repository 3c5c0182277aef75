"""What is declared of metrics: `catalog.declared_metrics`."""

from catalog.declared_metrics import DeclaredMetrics

DECLARED = DeclaredMetrics.of(
    [
        {"name": "log_loss", "better": "lower", "noise": 0.01},
        {"name": "auc", "better": "higher", "headline": True},
        {"name": "map", "better": "none", "unit": "km"},
    ]
)


def test_the_headline_comes_first_then_what_is_declared_then_the_rest():
    assert DECLARED.in_order(["accuracy", "map", "log_loss", "auc"]) == ["auc", "log_loss", "map", "accuracy"]
    assert DeclaredMetrics().in_order(["b", "a"]) == ["b", "a"]


def test_what_is_not_declared_follows_from_the_name():
    names = ("auc", "log_loss", "map", "accuracy", "rows")
    assert [DECLARED.wanted(name) for name in names] == ["up", "down", None, "up", None]
    assert [DECLARED.is_declared(name) for name in ("auc", "accuracy")] == [True, False]


def test_the_headline_is_what_is_declared_so_or_the_first_with_a_direction():
    assert DECLARED.headline(["accuracy", "auc", "log_loss"]) == ["auc"]
    assert DECLARED.headline(["accuracy", "log_loss", "rows"]) == ["log_loss", "accuracy"]
    assert DeclaredMetrics().headline(["rows", "columns"]) == ["rows", "columns"]


def test_noise_and_units_are_those_declared():
    assert DECLARED.noise("log_loss") == 0.01
    assert DECLARED.noise("auc") is None
    assert (DECLARED.unit("map"), DECLARED.unit("auc")) == ("km", "")
