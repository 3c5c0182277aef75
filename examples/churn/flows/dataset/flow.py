"""Keep this round's customers as the data asset `customers`."""

from customers import make_customers
from metaflow import Parameter, card, current, step
from metaflow.cards import Markdown, Table, VegaChart

from obproject import ProjectFlow, project_schedule


@project_schedule({"main": {"daily": True}})
class DatasetFlow(ProjectFlow):
    """Collect the customers of a round and register them."""

    round = Parameter("round", default=1, help="every round has new customers, and more of them")

    @step
    def start(self):
        """Collect them; in a real project this is a query."""
        self.customers = make_customers(self.round)
        self.next(self.end)

    @card(type="blank")  # without Metaflow's own table of the task, the card is all about the asset
    @step
    def end(self):
        """Register them with what one wants to know at a glance."""
        churned = sum(customer["churned"] for customer in self.customers)
        self.prj.register_data(
            "customers",
            "customers",
            annotations={
                "rows": len(self.customers),
                "columns": len(self.customers[0]),
                "churn_rate": round(churned / len(self.customers), 4),
            },
            tags={"source": "crm", "round": self.round},
        )
        self.prj.safe_publish_event("customers_ready", {"rows": len(self.customers)})
        current.card.append(Markdown(f"## {len(self.customers)} customers, {churned} of them left"))
        current.card.append(VegaChart(tenure_chart(self.customers)))
        current.card.append(Markdown("The first five:"))
        first = self.customers[:5]
        current.card.append(Table([list(customer.values()) for customer in first], headers=list(first[0])))


def tenure_chart(customers):
    """Return a chart of how long customers have been with us, by whether they left."""
    values = [{"tenure": c["tenure_months"], "outcome": "left" if c["churned"] else "stayed"} for c in customers]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": values},
        "width": 540,
        "height": 180,
        "mark": "bar",
        "encoding": {
            "x": {"field": "tenure", "bin": {"step": 6}, "title": "months with us"},
            "y": {"aggregate": "count", "title": "customers"},
            "color": {
                "field": "outcome",
                "scale": {"range": ["#d9694f", "#7fa8c9"]},
                "title": None,
                "legend": {"orient": "top"},
            },
        },
    }


if __name__ == "__main__":
    DatasetFlow()
