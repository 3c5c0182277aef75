"""Logistic regression and its measures in plain Python. A model is a dict, so that it can be loaded anywhere."""

import math
from collections.abc import Sequence
from typing import TypedDict

Row = Sequence[float]


class Model(TypedDict):
    """A model of churn: a weight for each column, and the scale of each column that it was trained on."""

    columns: list[str]
    scales: dict[str, tuple[float, float]]
    weights: list[float]
    bias: float
    threshold: float


def fit(rows: Sequence[Row], labels: Sequence[int], rate: float, epochs: int) -> tuple[list[float], float, list[float]]:
    """Fit by gradient descent; return weights, bias and the loss after each epoch."""
    weights, bias, losses = [0.0] * len(rows[0]), 0.0, []
    for _ in range(epochs):
        errors = [score(row, weights, bias) - label for row, label in zip(rows, labels, strict=True)]
        for column in range(len(weights)):
            slope = sum(error * row[column] for error, row in zip(errors, rows, strict=True)) / len(rows)
            weights[column] -= rate * slope
        bias -= rate * sum(errors) / len(rows)
        losses.append(log_loss([score(row, weights, bias) for row in rows], labels))
    return weights, bias, losses


def score(row: Row, weights: Sequence[float], bias: float) -> float:
    """Return the probability that a customer leaves."""
    return 1 / (1 + math.exp(-bias - sum(weight * value for weight, value in zip(weights, row, strict=True))))


def predict(model: Model, rows: Sequence[Row]) -> list[float]:
    """Return a probability for each row."""
    return [score(row, model["weights"], model["bias"]) for row in rows]


def log_loss(scores: Sequence[float], labels: Sequence[int]) -> float:
    """Return the mean negative log likelihood; less is better."""
    likelihoods = (score if label else 1 - score for score, label in zip(scores, labels, strict=True))
    return -sum(math.log(max(likelihood, 1e-12)) for likelihood in likelihoods) / len(labels)


def accuracy(scores: Sequence[float], labels: Sequence[int], threshold: float) -> float:
    """Return the share of customers that are on the right side of the threshold."""
    right = sum((score >= threshold) == bool(label) for score, label in zip(scores, labels, strict=True))
    return right / len(labels)


def auc(scores: Sequence[float], labels: Sequence[int]) -> float:
    """Return the probability that who left scores higher than who stayed; ties count half."""
    left = [score for score, label in zip(scores, labels, strict=True) if label]
    stayed = [score for score, label in zip(scores, labels, strict=True) if not label]
    wins = sum((one > other) + (one == other) / 2 for one in left for other in stayed)
    return wins / (len(left) * len(stayed))
