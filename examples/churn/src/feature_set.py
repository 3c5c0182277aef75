"""The features in use: FeatureFlow makes them, TrainFlow and EvaluateFlow read them."""

from collections.abc import Mapping, Sequence

ASSET = "churn_features"
INTERACTIONS = False

Scales = Mapping[str, tuple[float, float]]
"""The mean and the deviation of each column, as the customers have it that a model is trained on."""


def columns_of(customers: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Return what a model may look at, column by column: not whether they left."""
    columns = {name: [customer[name] for customer in customers] for name in customers[0] if name != "churned"}
    if INTERACTIONS:
        pairs = zip(columns["support_calls"], columns["has_contract"], strict=True)
        columns["calls_without_contract"] = [calls * (1 - contract) for calls, contract in pairs]
    return columns


def rows_of(customers: Sequence[Mapping[str, float]], scales: Scales) -> list[list[float]]:
    """Return customers as the rows that a model takes which was trained on features of these scales."""
    columns = columns_of(customers)
    scaled = [[(value - mean) / deviation for value in columns[name]] for name, (mean, deviation) in scales.items()]
    return [list(row) for row in zip(*scaled, strict=True)]


def labels_of(customers: Sequence[Mapping[str, float]]) -> list[int]:
    """Return for each customer whether they left."""
    return [int(customer["churned"]) for customer in customers]
