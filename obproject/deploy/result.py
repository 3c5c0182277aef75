"""The result of a deployment, part by part."""

from __future__ import annotations

from dataclasses import dataclass, field

from obproject.deploy.comparison import Comparison
from obproject.deploy.gates import NewGates
from obproject.deploy.plan import Plan
from obproject.json_types import Json


@dataclass
class DeployResult:
    """The result of the deployment of one project. Names are those of flows and apps."""

    plan: Plan
    record: Json
    """The record as it was posted last, else as it was about to be."""
    answer: Json | None = None
    """What the catalogue changed; None if there was no request, or it was refused."""
    wrote_spec: bool = False
    deployed: dict[str, str] = field(default_factory=dict)
    """The flows that the orchestrator has taken, with what it calls them."""
    not_deployed: list[str] = field(default_factory=list)
    """The flows that it has not; there, all is as before."""
    left: list[str] = field(default_factory=list)
    """Flows that are live and that the project lacks by now."""
    elsewhere: dict[str, str] = field(default_factory=dict)
    """Flows of the project that another orchestrator still has, with its name."""
    pruned: list[str] = field(default_factory=list)
    apps: list[str] = field(default_factory=list)
    """The apps whose command has succeeded."""
    apps_not_deployed: list[str] = field(default_factory=list)
    comparison: Comparison | None = None
    """How the branch stands beside the main branch; None if it was not asked, or is not known."""
    gates: list[NewGates] = field(default_factory=list)
    """The gates that were to be changed, as the catalogue told before."""
    gates_not_kept: list[str] = field(default_factory=list)
    """The assets whose gates a catalogue of an older version has ignored."""
    freshness_not_kept: list[str] = field(default_factory=list)
    """The assets of which it has ignored what is declared of freshness."""
    failures: list[str] = field(default_factory=list)
    """Why not all was done, each reason with what to do."""

    @property
    def ok(self) -> bool:
        return not self.failures

    @property
    def url(self) -> str | None:
        """Address of the branch's page."""
        return self.answer.get("url") if self.answer else None

    @property
    def document(self) -> Json:
        """The result for programs."""
        plan = self.plan
        return {
            "project": plan.name,
            "branch": plan.branch,
            "perimeter": plan.settings.perimeter,
            "version_id": plan.record["version_id"],
            "ok": self.ok,
            "failures": self.failures,
            "url": self.url,
            "assets": _known(self.answer, "created", "updated", "unchanged", "overridden", "not_declared", "gated"),
            "flows": {
                "deployer": plan.deployer.name if plan.deployer else None,
                "deployed": self.deployed,
                "not_deployed": self.not_deployed,
                "left": self.left,
                "elsewhere": self.elsewhere,
                "pruned": self.pruned,
            },
            "apps": {"deployed": self.apps, "not_deployed": self.apps_not_deployed},
            "comparison": self.comparison.document if self.comparison else None,
            "spec_file": str(plan.spec_file) if self.wrote_spec else None,
        }


def _known(answer: Json | None, *names: str) -> Json | None:
    return {name: answer.get(name, []) for name in names} if answer is not None else None
