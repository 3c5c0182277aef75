"""The orchestrators that flows are deployed to, each by Metaflow's own command for it.

A deployer says what it lacks on this machine, compiles a flow without deploying it, deploys it, and deletes what was
deployed. Deleting needs no code of the flow: Metaflow finds what is deployed by the names of project, branch and flow,
so a flow without steps of its own, made for the purpose, stands in for it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from typing import ClassVar

from obproject.deploy.metaflow_commands import Command, DeployableFlow, DeployerError, branch_options

_GONE = "doesn't exist on"
"""Metaflow's messages for a flow that an orchestrator does not have."""
_STAND_IN = """\
from metaflow import FlowSpec, project, step

@project(name={project!r})
class {flow}(FlowSpec):
    @step
    def start(self):
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    {flow}()
"""


@dataclass(frozen=True)
class Deployer(ABC):
    """One orchestrator."""

    name: ClassVar[str]
    """Its name, which is that of Metaflow's command."""
    packages: ClassVar[tuple[str, ...]]
    """The Python packages that Metaflow's command needs."""
    beside_command: ClassVar[str] = ""
    """What a deployment does beside running the command, in a sentence."""

    authorize: str | None = None
    """A production token, for flows that somebody else deployed before."""
    dags_folder: Path | None = None

    def lacks(self) -> list[str]:
        """Return why flows can't be deployed from this machine, each reason with its remedy."""
        from metaflow.metaflow_config_funcs import from_conf

        reasons = [
            f"{self.name} needs the Python package {package}: pip install {package}"
            for package in self.packages
            if find_spec(package) is None
        ]
        if from_conf("DEFAULT_DATASTORE", "local") == "local":
            reasons.append(
                f"{self.name} runs flows elsewhere, and Metaflow's datastore is a folder of this machine: configure "
                "one that all reach, such as METAFLOW_DEFAULT_DATASTORE=s3 with METAFLOW_DATASTORE_SYSROOT_S3"
            )
        return reasons

    @abstractmethod
    def compile(self, flow: DeployableFlow, spec_file: Path) -> str:
        """Compile a flow and deploy nothing; return what the orchestrator calls it."""

    def create(self, flow: DeployableFlow, spec_file: Path) -> Command:
        """Return the command that deploys a flow."""
        return flow.command(spec_file, self.name, "create", *self.authorization, *flow.tag_options)

    def deploy(self, flow: DeployableFlow, spec_file: Path) -> str:
        """Deploy a flow and return what was printed."""
        return self.create(flow, spec_file).run()

    def delete(self, project: str, branch: str, flow: str) -> None:
        """Delete what is deployed of a flow; raise DeployerError if that fails. What is gone is no error."""
        if not flow.isidentifier() or iskeyword(flow):
            raise DeployerError(f"{flow!r} can't be the name of a flow")
        self._delete(project, branch, flow)

    def _delete(self, project: str, branch: str, flow: str) -> None:
        with tempfile.TemporaryDirectory(prefix="obproject-") as folder:
            file = Path(folder, "flow.py")
            file.write_text(_STAND_IN.format(project=project, flow=flow), encoding="utf-8")
            options = ("--no-pylint", *branch_options(branch))
            arguments = (sys.executable, file.name, *options, self.name, "delete", *self.authorization)
            try:
                Command(arguments, file.parent).run()
            except DeployerError as error:
                if _GONE not in " ".join(str(error).split()):
                    raise

    @property
    def authorization(self) -> tuple[str, ...]:
        """The production token as an option."""
        return ("--authorize", self.authorize) if self.authorize else ()


class ArgoWorkflows(Deployer):
    """Argo Workflows on Kubernetes."""

    name = "argo-workflows"
    packages = ("kubernetes",)

    def compile(self, flow: DeployableFlow, spec_file: Path) -> str:
        printed = flow.command(spec_file, self.name, "create", "--only-json", *flow.tag_options).run()
        try:
            return str(json.loads(printed)["metadata"]["name"])
        except (ValueError, KeyError, TypeError):
            raise DeployerError(f"Metaflow compiled no workflow template, but printed: {printed[:200]}") from None


class StepFunctions(Deployer):
    """AWS Step Functions."""

    name = "step-functions"
    packages = ("boto3",)

    def compile(self, flow: DeployableFlow, spec_file: Path) -> str:
        with tempfile.TemporaryDirectory(prefix="obproject-") as folder:
            attributes = Path(folder, "attributes.json")
            options = ("--only-json", "--deployer-attribute-file", str(attributes))
            flow.command(spec_file, self.name, "create", *self.authorization, *options, *flow.tag_options).run()
            return str(json.loads(attributes.read_text())["name"])
