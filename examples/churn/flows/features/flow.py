"""Make features of the newest customers: a data asset for the model to be trained on."""

from statistics import fmean, pstdev

from feature_set import ASSET, INTERACTIONS, columns_of, labels_of, rows_of
from logistic import auc
from metaflow import card, current, step
from metaflow.cards import Markdown, VegaChart

from obproject import ProjectFlow, project_trigger


@project_trigger(event="customers_ready")
class FeatureFlow(ProjectFlow):
    """Turn customers into columns of numbers of mean 0 and deviation 1."""

    @step
    def start(self):
        """Load the newest customers. This makes the task their consumer in the catalogue."""
        customers = self.prj.get_data("customers")
        # Features are as old as the customers that they are made of, however often they are made.
        properties = self.prj.asset.peek_data_asset("customers")["data_properties"]
        self.until = properties["annotations"]["data_until"]
        columns, labels = columns_of(customers), labels_of(customers)
        scales = {name: (fmean(values), pstdev(values) or 1) for name, values in columns.items()}
        self.features = {
            "columns": list(columns),
            "scales": scales,
            "rows": rows_of(customers, scales),
            "labels": labels,
        }
        self.signals = {name: signal(values, labels) for name, values in columns.items()}
        self.next(self.end)

    @card(type="blank")
    @step
    def end(self):
        """Register the features."""
        best = max(self.signals, key=self.signals.__getitem__)
        self.prj.register_data(
            ASSET,
            "features",
            annotations={
                "rows": len(self.features["rows"]),
                "columns": len(self.features["columns"]),
                "best_column": best,
                "best_column_auc": round(self.signals[best], 4),
                "data_until": self.until,
            },
            tags={"interactions": "yes" if INTERACTIONS else "no"},
        )
        self.prj.safe_publish_event("features_ready", {"columns": len(self.features["columns"])})
        current.card.append(Markdown(f"## {len(self.signals)} features; the best one is `{best}`"))
        current.card.append(Markdown("How well each of them alone tells who leaves; 0.5 is a coin:"))
        current.card.append(VegaChart(signal_chart(self.signals)))


def signal(values, labels):
    """Return the AUC of a column alone, whichever way it points."""
    area = auc(values, labels)
    return max(area, 1 - area)


def signal_chart(signals):
    """Return a chart with a bar for each column."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": [{"column": name, "auc": value} for name, value in signals.items()]},
        "width": 540,
        "height": {"step": 30},
        "mark": {"type": "bar", "color": "#7fa8c9", "clip": True},
        "encoding": {
            "x": {"field": "auc", "type": "quantitative", "scale": {"domain": [0.5, 0.9]}, "title": "AUC alone"},
            "y": {"field": "column", "type": "nominal", "sort": "-x", "title": None},
        },
    }


if __name__ == "__main__":
    FeatureFlow()
