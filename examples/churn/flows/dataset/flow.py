"""Keep a round's customers, others to measure models on, and files of the bank: `customers`, `holdout`, `payments`."""

from datetime import date

from customers import exported_until, make_customers, make_holdout
from metaflow import Parameter, card, current, step
from metaflow.cards import Markdown, Table, VegaChart
from payments import FILES, payments_of

from obproject import ProjectFlow, project_schedule


@project_schedule({"main": {"daily": True}})
class DatasetFlow(ProjectFlow):
    """Collect the customers of a round, and what they paid, and register them."""

    round = Parameter("round", default=1, help="every round has new customers, and more of them")

    @step
    def start(self):
        """Collect them; in a real project this is a query."""
        self.customers = make_customers(self.round)
        self.holdout = make_holdout(self.round)
        self.until = exported_until(self.round, date.today()).isoformat()
        self.payments_morning, self.payments_noon, self.payments_evening = payments_of(self.round).values()
        self.next(self.end)

    @card(type="blank")  # without Metaflow's own table of the task, the card is all about the asset
    @step
    def end(self):
        """Register them with what one wants to know at a glance."""
        churned = sum(customer["churned"] for customer in self.customers)
        # Most rounds bring no new one: then it is equal to the one before, and so are the numbers measured on it.
        self.prj.register_data(
            "holdout",
            "holdout",
            annotations={"rows": len(self.holdout), "churn_rate": churn_rate(self.holdout)},
            tags={"source": "crm", "round": self.round},
        )
        self.prj.register_data(
            "customers",
            "customers",
            annotations={
                "rows": len(self.customers),
                "columns": len(self.customers[0]),
                "churn_rate": churn_rate(self.customers),
                # By this, not by when it was registered, it is said whether it is fresh: see [freshness].
                "data_until": self.until,
            },
            tags={"source": "crm", "round": self.round},
        )
        self._register_payments()
        self.prj.safe_publish_event("customers_ready", {"rows": len(self.customers)})
        current.card.append(Markdown(f"## {len(self.customers)} customers, {churned} of them left"))
        current.card.append(VegaChart(tenure_chart(self.customers)))
        current.card.append(Markdown("The first five:"))
        first = self.customers[:5]
        current.card.append(Table([list(customer.values()) for customer in first], headers=list(first[0])))
        current.card.append(Markdown("The files of the bank, and the share of payments in each that came late:"))
        counted = [[file, len(self._payments(file)["payments"]), self._payments(file)["late_share"]] for file in FILES]
        current.card.append(Table(counted, headers=["file", "payments", "late_share"]))

    def _register_payments(self):
        """Register each file of the bank as a version of its own, all of them in one request."""
        with self.prj.register_together():
            for file in FILES:
                payments = self._payments(file)
                self.prj.register_data(
                    "payments",
                    f"payments_{file}",
                    annotations={"rows": len(payments["payments"]), "late_share": payments["late_share"]},
                    tags={"source": "bank", "file": file},
                )

    def _payments(self, file):
        return getattr(self, f"payments_{file}")


def churn_rate(customers):
    """Return the share of customers who left."""
    return round(sum(customer["churned"] for customer in customers) / len(customers), 4)


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
