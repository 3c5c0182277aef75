"""The features in use: FeatureFlow makes them, TrainFlow and EvaluateFlow read them."""

ASSET = "churn_features"
INTERACTIONS = False
