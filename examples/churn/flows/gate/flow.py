"""The quality gate: is the candidate good enough for production? The rules are the catalogue's; this asks it."""

from feature_set import labels_of, rows_of
from judgement import why
from logistic import auc, log_loss, predict
from metaflow import step

from obproject import ProjectFlow, errors, highlight, project_trigger

MODEL = "churn_model"
STAGES = ("validated", "production")
SHOWN = 12


@project_trigger(event="model_trained")
class GateFlow(ProjectFlow):
    """Measure the candidate beside the model in production, ask for the aliases, and log what came of it."""

    @step
    def start(self):
        """Measure both on customers that neither was trained on."""
        customers = self.prj.get_data("holdout", role="evaluation")
        self.candidate = self._measured("candidate", customers)
        self.present = self._measured("production", customers)
        self.next(self.end)

    @highlight
    @step
    def end(self):
        """Move one alias after the other to the candidate, up to the first whose gates refuse it, and say why."""
        self.aliases, refusal = [], None
        try:
            for alias in STAGES:
                self._promote(alias)
                self.aliases.append(alias)
        except errors.GateRefused as error:
            refusal = error
        self.why = why(self.candidate, self.present, refusal)
        self._log()
        self._show()

    def _measured(self, alias, customers):
        """Return how good the version behind an alias is; None if there is no such alias yet."""
        try:
            version = self.prj.asset.peek_model_asset(MODEL, f"@{alias}")["ref"]
        except errors.InstanceNotFound:
            return None
        model = self.prj.get_model(MODEL, version)
        scores, labels = predict(model, rows_of(customers, model["scales"])), labels_of(customers)
        return {
            "version": version,
            "auc": round(auc(scores, labels), 4),
            "log_loss": round(log_loss(scores, labels), 4),
        }

    def _promote(self, alias):
        """Let an alias of this branch point to the candidate; GateRefused if it does not pass the alias's gates."""
        version = self.candidate["version"]
        self.prj.asset.set_alias(MODEL, alias, version, "model")
        self.prj.safe_publish_event(f"model_{alias}", {"version": version, "auc": self.candidate["auc"]})

    def _log(self):
        """Log the decision, whatever it is: the branch's page of evaluations shows all of them."""
        self.prj.evals.log(
            {
                "model": f"{MODEL} {self.candidate['version']}",
                "auc": self.candidate["auc"],
                "log_loss": self.candidate["log_loss"],
                "auc_in_production": self.present["auc"] if self.present else None,
                "outcome": self.aliases[-1] if self.aliases else "refused",
                "why": self.why,
            }
        )

    def _show(self):
        """Show the decision, and how candidates and production went so far."""
        version = self.candidate["version"]
        outcomes = {
            0: ("error", f"{version} missed the quality gate"),
            1: ("important", f"{version} is valid, but not for production"),
            2: ("new", f"{version} is in production"),
        }
        label, self.highlight.title = outcomes[len(self.aliases)]
        self.highlight.add_label(label)
        self.highlight.add_line(self.why)
        earlier = [entry.values for entry in self.prj.evals.entries()][:SHOWN][::-1]
        models = [entry["model"].split()[-1] for entry in earlier] + [version]
        candidates = [entry["auc"] for entry in earlier] + [self.candidate["auc"]]
        present = [entry["auc_in_production"] for entry in earlier] + [self.present["auc"] if self.present else None]
        self.highlight.set_chart(
            {"candidate": candidates, "in production then": present}, x=models, caption="AUC on the holdout"
        )


if __name__ == "__main__":
    GateFlow()
