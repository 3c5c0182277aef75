"""Train the model asset `churn_model` on the newest features."""

import random

from feature_set import ASSET, labels_of, rows_of
from logistic import accuracy, auc, fit, log_loss, predict, score
from metaflow import Parameter, card, current, step
from metaflow.cards import Markdown, Table, VegaChart

from obproject import ProjectFlow, highlight, project_trigger

EPOCHS = 40


@project_trigger(event="features_ready")
class TrainFlow(ProjectFlow):
    """Fit one model for each learning rate, and register the best as the candidate."""

    round = Parameter("round", default=1, help="seeds which rows tell the learning rates apart")
    break_it = Parameter("break-it", default=False, help="fail after registering: the catalogue shows it as failed")

    @step
    def start(self):
        """Load the newest features and split them: four fifths to train on, the rest to choose by."""
        features = self.prj.get_data(ASSET)
        examples = list(zip(features["rows"], features["labels"], strict=True))
        random.Random(self.round).shuffle(examples)  # noqa: S311 - a split, no secret
        fifth = len(examples) // 5
        self.columns, self.scales = features["columns"], features["scales"]
        self.validation, self.training = examples[:fifth], examples[fifth:]
        self.learning_rates = [0.2, 2.0]
        self.next(self.fit, foreach="learning_rates")

    @step
    def fit(self):
        """Fit with one learning rate."""
        self.learning_rate = self.input
        rows, labels = zip(*self.training, strict=True)
        self.weights, self.bias, self.losses = fit(rows, labels, self.learning_rate, EPOCHS)
        self.next(self.choose)

    @highlight
    @card(type="blank")
    @step
    def choose(self, inputs):
        """Measure the best model on the holdout, which no model has seen; register it, and draw its card."""
        # Properties are declared in asset_config.toml and may be overridden by people: the code asks for them.
        threshold = float(self.prj.asset.get_properties("churn_model", "model")["threshold"])
        best = min(inputs, key=validation_loss)
        self.model = as_model(best, threshold)
        # The role says that the holdout is what the model is measured on: only models that share it can be compared.
        customers = self.prj.get_data("holdout", role="evaluation")
        scores, labels = predict(self.model, rows_of(customers, self.model["scales"])), labels_of(customers)
        self.metrics = {
            "accuracy": round(accuracy(scores, labels, threshold), 4),
            "auc": round(auc(scores, labels), 4),
            "log_loss": round(log_loss(scores, labels), 4),
            "rows": len(best.training),
            "threshold": threshold,
            "learning_rate": best.learning_rate,
        }
        made = self.prj.register_model(
            "churn_model", "model", annotations=self.metrics, tags={"algorithm": "logistic-regression"}
        )
        self.version = made["ref"] if made else "latest"
        self._draw_card(inputs)
        self._show(len(labels))
        if self.break_it:
            raise RuntimeError("Broken on purpose, after registering: the instance is failed and never the latest.")
        self.next(self.end)

    @step
    def end(self):
        """Make the model the candidate: an alias takes what is ready, and that it is when its task has succeeded."""
        self.prj.asset.set_alias("churn_model", "candidate", self.version, "model")
        self.prj.safe_publish_event("model_trained", {"version": self.version, "auc": self.metrics["auc"]})

    def _show(self, holdout):
        """Highlight what the model came to; it stands on the overview of the branch."""
        self.highlight.title = f"A new candidate, with AUC {self.metrics['auc']}"
        self.highlight.add_label("new")
        self.highlight.add_line(
            f"{self.metrics['rows']} customers, {len(self.model['columns'])} columns each", "Trained on"
        )
        self.highlight.add_line(f"{holdout} others", "Measured on")
        for name in ("auc", "accuracy", "log_loss"):
            self.highlight.add_column(self.metrics[name], name.replace("_", " "))

    def _draw_card(self, runs):
        """Show the metrics, how the fits went, and what the model has learned."""
        current.card.append(Markdown(f"## AUC {self.metrics['auc']} on the holdout"))
        current.card.append(Table([[name, value] for name, value in self.metrics.items()], headers=["Metric", "Value"]))
        current.card.append(Markdown("Loss on the training rows, by learning rate:"))
        current.card.append(VegaChart(loss_chart(runs)))
        current.card.append(Markdown("What makes customers leave (above 0) or stay (below 0):"))
        weights = sorted(zip(self.model["columns"], self.model["weights"], strict=True), key=lambda pair: -pair[1])
        current.card.append(Table([[name, f"{weight:+.3f}"] for name, weight in weights], headers=["Column", "Weight"]))


def as_model(run, threshold):
    """Return what a fit found as a plain dict: it can be loaded without this code."""
    learned = {"columns": run.columns, "scales": run.scales, "weights": run.weights, "bias": run.bias}
    return {**learned, "threshold": threshold}


def validation_loss(run):
    """Return how far off a fit is on the rows that it was not trained on."""
    rows, labels = zip(*run.validation, strict=True)
    return log_loss([score(row, run.weights, run.bias) for row in rows], labels)


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
