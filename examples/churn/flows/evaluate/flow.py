"""Measure the newest model on the newest features: the data asset `evaluation`."""

from itertools import pairwise

from feature_set import ASSET
from logistic import accuracy, auc, predict
from metaflow import card, current, step
from metaflow.cards import Markdown, Table, VegaChart

from obproject import ProjectFlow

GROUPS = 10


class EvaluateFlow(ProjectFlow):
    """Say how good the model is on everybody, and whether its probabilities can be believed."""

    @step
    def start(self):
        """Load both. The catalogue then shows which model and which features an evaluation is about."""
        model, features = self.prj.get_model("churn_model"), self.prj.get_data(ASSET)
        scores, labels = predict(model, features["rows"]), features["labels"]
        flagged = [label for score, label in zip(scores, labels, strict=True) if score >= model["threshold"]]
        caught, left = sum(flagged), sum(labels)
        self.evaluation = {
            "accuracy": round(accuracy(scores, labels, model["threshold"]), 4),
            "auc": round(auc(scores, labels), 4),
            "precision": round(caught / max(len(flagged), 1), 4),
            "recall": round(caught / left, 4),
            "rows": len(labels),
        }
        self.confusion = [
            ["flagged", caught, len(flagged) - caught],
            ["not flagged", left - caught, len(labels) - left - (len(flagged) - caught)],
        ]
        self.calibration = calibrate(scores, labels)
        self.next(self.end)

    @card(type="blank")
    @step
    def end(self):
        """Register the measures: they are the asset and its annotations in one."""
        self.prj.register_data("evaluation", "evaluation", annotations=self.evaluation, tags={"model": "churn_model"})
        found = f"{self.evaluation['recall']:.0%} of those who left were flagged"
        right = f"{self.evaluation['precision']:.0%} of the flagged did leave"
        current.card.append(Markdown(f"## {found}; {right}"))
        current.card.append(Table(self.confusion, headers=["", "left", "stayed"]))
        current.card.append(Markdown("Predicted and real share of customers who left, from the safest tenth up:"))
        current.card.append(VegaChart(calibration_chart(self.calibration)))


def calibrate(scores, labels):
    """Return predicted and real churn for groups of equal size, by rising score."""
    ranked = sorted(zip(scores, labels, strict=True))
    edges = [len(ranked) * group // GROUPS for group in range(GROUPS + 1)]
    groups = [ranked[first:end] for first, end in pairwise(edges)]
    return [
        {"group": number, "share": round(sum(pair[at] for pair in group) / len(group), 4), "kind": kind}
        for number, group in enumerate(groups, 1)
        for at, kind in enumerate(("predicted", "real"))
    ]


def calibration_chart(calibration):
    """Return a chart with two bars for each group."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": calibration},
        "width": 540,
        "height": 200,
        "mark": "bar",
        "encoding": {
            "x": {"field": "group", "type": "ordinal", "title": "tenth of the customers", "axis": {"labelAngle": 0}},
            "xOffset": {"field": "kind"},
            "y": {"field": "share", "type": "quantitative", "axis": {"format": "%"}, "title": "left"},
            "color": {
                "field": "kind",
                "scale": {"range": ["#7fa8c9", "#d9694f"]},
                "title": None,
                "legend": {"orient": "top"},
            },
        },
    }


if __name__ == "__main__":
    EvaluateFlow()
