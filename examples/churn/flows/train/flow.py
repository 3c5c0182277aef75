"""Train the model asset `churn_model` on the newest features."""

import random

from feature_set import ASSET
from logistic import accuracy, auc, fit, log_loss, predict
from metaflow import Parameter, card, current, step
from metaflow.cards import Markdown, Table, VegaChart

from obproject import ProjectFlow

EPOCHS = 40


class TrainFlow(ProjectFlow):
    """Fit one model for each learning rate, and register the best."""

    round = Parameter("round", default=1, help="seeds the split into training and holdout rows")
    break_it = Parameter("break-it", default=False, help="fail after registering: the catalogue shows it as failed")

    @step
    def start(self):
        """Load the newest features and split them: three quarters to train on, the rest to measure with."""
        features = self.prj.get_data(ASSET)
        examples = list(zip(features["rows"], features["labels"], strict=True))
        random.Random(self.round).shuffle(examples)  # noqa: S311 - a split, no secret
        quarter = len(examples) // 4
        self.columns = features["columns"]
        self.holdout, self.training = examples[:quarter], examples[quarter:]
        self.learning_rates = [0.2, 2.0]
        self.next(self.fit, foreach="learning_rates")

    @step
    def fit(self):
        """Fit with one learning rate."""
        self.learning_rate = self.input
        rows, labels = zip(*self.training, strict=True)
        self.weights, self.bias, self.losses = fit(rows, labels, self.learning_rate, EPOCHS)
        self.next(self.choose)

    @card(type="blank")
    @step
    def choose(self, inputs):
        """Measure on the holdout rows, register the best model, and draw its card."""
        # Properties are declared in asset_config.toml and may be overridden by people: the code asks for them.
        properties = self.prj.asset.get_properties("churn_model", "model")
        threshold, min_auc = float(properties["threshold"]), float(properties["min_auc"])
        rows, labels = zip(*inputs[0].holdout, strict=True)
        best = min(inputs, key=lambda run: log_loss(predict(as_model(run, threshold), rows), labels))
        self.model = as_model(best, threshold)
        scores = predict(self.model, rows)
        self.metrics = {
            "accuracy": round(accuracy(scores, labels, threshold), 4),
            "auc": round(auc(scores, labels), 4),
            "log_loss": round(log_loss(scores, labels), 4),
            "rows": len(best.training),
            "threshold": threshold,
            "learning_rate": best.learning_rate,
        }
        gate = "passed" if self.metrics["auc"] >= min_auc else "missed"
        self.prj.register_model(
            "churn_model", "model", annotations=self.metrics, tags={"gate": gate, "algorithm": "logistic-regression"}
        )
        self._draw_card(inputs, gate)
        if self.break_it:
            raise RuntimeError("Broken on purpose, after registering: the instance is failed and never the latest.")
        self.next(self.end)

    @step
    def end(self):
        """Nothing is left to do: Metaflow wants a last step that joins nothing."""

    def _draw_card(self, runs, gate):
        """Show the metrics, how the fits went, and what the model has learned."""
        current.card.append(Markdown(f"## AUC {self.metrics['auc']}: quality gate {gate}"))
        current.card.append(Table([[name, value] for name, value in self.metrics.items()], headers=["Metric", "Value"]))
        current.card.append(Markdown("Loss on the training rows, by learning rate:"))
        current.card.append(VegaChart(loss_chart(runs)))
        current.card.append(Markdown("What makes customers leave (above 0) or stay (below 0):"))
        weights = sorted(zip(self.model["columns"], self.model["weights"], strict=True), key=lambda pair: -pair[1])
        current.card.append(Table([[name, f"{weight:+.3f}"] for name, weight in weights], headers=["Column", "Weight"]))


def as_model(run, threshold):
    """Return what a fit found as a plain dict: it can be loaded without this code."""
    return {"columns": run.columns, "weights": run.weights, "bias": run.bias, "threshold": threshold}


def loss_chart(runs):
    """Return a chart with a line for each learning rate."""
    values = [
        {"epoch": epoch, "loss": loss, "rate": str(run.learning_rate)}
        for run in runs
        for epoch, loss in enumerate(run.losses, 1)
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": values},
        "width": 540,
        "height": 200,
        "mark": {"type": "line", "strokeWidth": 2.5},
        "encoding": {
            "x": {"field": "epoch", "type": "quantitative"},
            "y": {"field": "loss", "type": "quantitative", "scale": {"zero": False}, "title": "log loss"},
            "color": {
                "field": "rate",
                "scale": {"range": ["#d9694f", "#4a7caa"]},
                "title": "learning rate",
                "legend": {"orient": "top"},
            },
        },
    }


if __name__ == "__main__":
    TrainFlow()
