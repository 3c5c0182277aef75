"""The dashboard: who is most likely to leave? A real one would serve a page; this one prints it.

Not a flow, so it names its project, its branch and itself. The catalogue shows it as a consumer of what it reads.
"""

import sys

from logistic import predict
from metaflow import Task, namespace

from obproject import Asset


def load(instance):
    """Load the artifact behind an instance with Metaflow's client."""
    return Task(instance["created_by"]["entity_id"])[instance["values"]["artifact"]].data


def main(reference):
    """Print the five customers who are most likely to leave, by the referred version of the model."""
    namespace(None)  # whoever ran the flows
    assets = Asset(project="churn", branch="main", deployment="dashboard")
    model = assets.consume_model_asset("churn_model", reference)
    features = assets.consume_data_asset("churn_features")
    scores = predict(load(model), load(features)["rows"])
    print(f"By churn_model {model['ref']} and churn_features {features['ref']}:")
    for customer, score in sorted(enumerate(scores), key=lambda pair: -pair[1])[:5]:
        print(f"  customer {customer:4d}  {score:.0%}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "latest")
