"""Flows deployed to orchestrators by Metaflow's own commands, with a served site as the catalogue.

There is no cluster, only its API. Each of Metaflow's commands takes a second, so the tests share one project and go on
from each other's state, in their order.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
import requests

from obproject.deploy.main import main
from obproject.deploy.teardown import teardown
from tests.conftest import Site
from tests.obproject.argo import ROLE, object_store, stored
from tests.obproject.cluster import Cluster, cluster
from tests.obproject.deploying import FLOW, commit_all, git, leave_this_machine, write

pytestmark = [pytest.mark.flows, pytest.mark.long]

TEAM = """
from metaflow import Config
from obproject import ProjectFlow

class TeamFlow(ProjectFlow):
    limits = Config("limits", default_value="{}")
"""
ALPHA = """
from metaflow import card, step
from obproject import highlight, project_schedule
from team import TeamFlow

@project_schedule({"feature/*": {"daily": True}})
class AlphaFlow(TeamFlow):
    @highlight
    @step
    def start(self):
        self.next(self.end)

    @card(id="project_eval", type="blank")
    @step
    def end(self):
        pass

if __name__ == "__main__":
    AlphaFlow()
"""
TOML = """
project = "{project}"
title = "A project"

[branch_to_environment]
"feature/*" = "staging"

[environments.staging]
perimeter = "default"

[environments.staging.flow_configs]
limits = "config/limits.json"
"""
CI = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REF_NAME": "feature/x",
    "GITHUB_SHA": "c0ffee",
    "GITHUB_RUN_ID": "7",
}


@dataclass
class World:
    """A project, the places that it is deployed to, and what was printed last."""

    root: Path
    project: str
    site: Site
    store: str
    cluster: Cluster
    dags: Path
    printed: str = ""
    complaints: str = ""
    documents: list[dict[str, Any]] = field(default_factory=list)

    def deploy(self, *options: str) -> int:
        """Deploy the project as a CI does, with its outcome as a document."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["--root", str(self.root), "--json", *options])
        self.printed, self.complaints = out.getvalue(), err.getvalue()
        self.documents = json.loads(self.printed)["projects"]
        return code

    @property
    def address(self) -> str:
        return f"{self.site.url}/v1/perimeters/default/projects/{self.project}/branches/feature_x"

    def spec(self) -> dict[str, Any]:
        return requests.get(f"{self.address}/latestflowproject", timeout=20).json()

    def workflows(self) -> dict[str, dict[str, Any]]:
        return {entry["flow_name"]: entry for entry in self.spec()["workflows"]}

    def name_of(self, flow: str) -> str:
        return f"{self.project}.test.featurex.{flow.lower()}".replace("_", "")

    def write(self, **flows: str) -> None:
        write(self.root, {f"flows/{name}/flow.py": source for name, source in flows.items()})


@pytest.fixture(scope="module")
def world(served: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A project on a feature branch, deployed to Argo Workflows once."""
    folder = tmp_path_factory.mktemp("orchestrated")
    with pytest.MonkeyPatch.context() as patch, object_store() as store, cluster(folder) as (kubernetes, settings):
        leave_this_machine(patch, folder)
        more = {
            "ASSETSITE_URL": served.url,
            "METAFLOW_USER": "ci",
            "METAFLOW_DEFAULT_DATASTORE": "s3",
            "METAFLOW_DATASTORE_SYSROOT_S3": "s3://flows/metaflow",
            "METAFLOW_S3_ENDPOINT_URL": store,
        }
        for name, value in (ROLE | CI | settings | more).items():
            patch.setenv(name, value)
        project = f"orchestrated{uuid4().hex[:6]}"
        root = folder / "project"
        write(
            root,
            {
                "obproject.toml": TOML.format(project=project),
                "config/limits.json": '{"rows": 12}',
                "src/team.py": TEAM,
                "flows/alpha/flow.py": ALPHA,
                "flows/beta/flow.py": FLOW.format(name="BetaFlow"),
                ".gitignore": "project_spec.json\n",
            },
        )
        commit_all(root)
        (folder / "dags").mkdir()
        world = World(root, project, served, store, kubernetes, folder / "dags")
        assert world.deploy("--deployer", "argo-workflows") == 0, world.complaints
        yield world


def test_a_compiled_template_is_on_the_flows_branch_with_the_tags_of_the_ci(world: World) -> None:
    assert world.cluster.templates() == [world.name_of("AlphaFlow"), world.name_of("BetaFlow")]
    annotations = world.cluster.template(world.name_of("AlphaFlow"))["metadata"]["annotations"]
    assert annotations["metaflow/project_name"] == world.project
    assert annotations["metaflow/branch_name"] == "test.feature_x"
    assert json.loads(annotations["metaflow/tags"]) == ["commit-hash:c0ffee", "obproject-deploy-gh-action-run:7"]
    assert json.loads(annotations["metaflow/cron"]) == {"schedule": "0 0 * * ?", "tz": ""}


def test_a_deployed_flow_finds_its_server_its_spec_its_branch_and_its_configs(world: World) -> None:
    template = json.dumps(world.cluster.template(world.name_of("AlphaFlow")))
    address = re.search(r"s3://(flows/metaflow/AlphaFlow/data/[0-9a-f/]+)", template)
    assert address
    with tarfile.open(fileobj=io.BytesIO(stored(world.store, address[1]))) as package:
        members = {Path(name).name: name for name in package.getnames()}
        read = {name: package.extractfile(members[name]) for name in ("CONFIG", "assetsite.json")}
        packed, settings = (json.load(file) for file in read.values() if file)
    configs = {name: found[0] for name, found in packed["user_configs"].items()}
    assert configs["project_spec"]["branch_name"] == "feature/x"
    assert configs["project_spec"]["spec"]["project_branch"] == "feature_x"
    assert configs["project_config"]["project"] == world.project
    assert configs["limits"] == {"rows": 12}
    assert settings["ASSETSITE_URL"] == world.site.url
    assert settings["ASSETSITE_PERIMETER"] == "default"


def test_the_record_names_what_is_live(world: World) -> None:
    spec = world.spec()
    names = {"metaflow_project": world.project, "metaflow_branch": "test.feature_x"}
    assert spec["workflows"][0] == {
        "flow_name": "AlphaFlow",
        "highlight_step_name": "start",
        "tags": [],
        "deployer": "argo-workflows",
        "flow_template_id": world.name_of("AlphaFlow"),
        "version_id": "c0ffee",
        **names,
    }
    card = {"card_type": "blank", "is_eval_flow": True, "step_name": "end", "workflow_name": "AlphaFlow"}
    assert spec["card_info"] == [card | names]
    assert json.loads((world.root / "project_spec.json").read_text())["spec"]["workflows"] == spec["workflows"]


def test_nothing_is_left_in_the_repository_but_the_spec_file(world: World) -> None:
    left = git(world.root, "status", "--porcelain", "--ignored").splitlines()
    assert [line for line in left if "__pycache__" not in line] == ["!! project_spec.json"]


def test_fault_23_after_a_failure_the_record_says_what_is_live_and_what_is_not(world: World) -> None:
    world.cluster.refuses.add(world.name_of("BetaFlow"))
    try:
        code = world.deploy("--deployer", "argo-workflows", "--branch", "feature/x")
    finally:
        world.cluster.refuses.clear()
    assert code == 1
    assert "Live with this version: AlphaFlow. Half-done or as before: BetaFlow." in world.complaints
    assert "is not welcome" in world.complaints
    flows = world.documents[0]["flows"]
    assert list(flows["deployed"]) == ["AlphaFlow"]
    assert flows["not_deployed"] == ["BetaFlow"]
    recorded = world.workflows()
    assert recorded["AlphaFlow"]["version_id"] == "c0ffee"
    assert "version_id" not in recorded["BetaFlow"]
    assert recorded["BetaFlow"]["flow_template_id"] == world.name_of("BetaFlow")


def test_fault_21_skipping_flows_leaves_them_and_their_record_alone(world: World) -> None:
    before, templates = world.workflows(), world.cluster.templates()
    world.write(delta=FLOW.format(name="DeltaFlow"))
    try:
        assert world.deploy("--skip-flows", "--deployer", "argo-workflows") == 0, world.complaints
    finally:
        (world.root / "flows/delta/flow.py").unlink()
    assert world.workflows() == before
    assert world.cluster.templates() == templates


def test_a_dry_run_shows_the_very_commands(world: World) -> None:
    templates = world.cluster.templates()
    assert world.deploy("--dry-run", "--deployer", "argo-workflows") == 0
    alpha = world.documents[0]["flows"][0]
    root = str(world.root)
    assert alpha["command"][1:] == [
        "flow.py", "--branch", "feature_x",
        "--config", "project_spec", f"{root}/project_spec.json",
        "--config", "project_config", f"{root}/obproject.toml",
        "--config", "limits", f"{root}/config/limits.json",
        "--package-suffixes=.html",
        "argo-workflows", "create", "--tag", "commit-hash:c0ffee", "--tag", "obproject-deploy-gh-action-run:7",
    ]  # fmt: skip
    assert alpha["folder"] == f"{root}/flows/alpha"
    assert alpha["environment"]["PYTHONPATH"].split(":")[:2] == [root, f"{root}/src"]
    assert world.cluster.templates() == templates


def test_fault_23_flows_that_left_the_project_are_named_and_pruned_on_demand(world: World) -> None:
    (world.root / "flows/beta").rename(world.root / "flows/_beta")
    assert world.deploy("--deployer", "none") == 0, world.complaints
    assert world.documents[0]["flows"]["left"] == ["BetaFlow"]
    assert world.workflows()["BetaFlow"]["flow_template_id"] == world.name_of("BetaFlow")
    assert world.deploy("--deployer", "argo-workflows", "--prune") == 0, world.complaints
    assert world.documents[0]["flows"]["pruned"] == ["BetaFlow"]
    assert world.cluster.templates() == [world.name_of("AlphaFlow")]
    assert list(world.workflows()) == ["AlphaFlow"]


def test_fault_23_a_flow_that_does_not_compile_changes_nothing(world: World) -> None:
    before, templates = world.spec(), world.cluster.templates()
    world.write(gamma=FLOW.format(name="GammaFlow").replace("self.next(self.end)", "pass"))
    try:
        assert world.deploy("--deployer", "argo-workflows") == 1
    finally:
        (world.root / "flows/gamma/flow.py").unlink()
    assert "GammaFlow (flows/gamma/flow.py) can't be deployed to argo-workflows" in world.complaints
    assert "1 problem found; nothing was deployed." not in world.printed  # which is one document
    assert world.spec() == before
    assert world.cluster.templates() == templates


def test_a_flow_on_airflow_is_a_file_whose_tasks_find_their_configs(world: World) -> None:
    options = ("--deployer", "airflow", "--dags-folder", str(world.dags))
    assert world.deploy(*options) == 0, world.complaints
    (file,) = world.dags.iterdir()
    assert file.name == f"{world.project}-test-feature_x-AlphaFlow.py"
    source = file.read_text()
    found: dict[str, Any] = {"__file__": str(file)}
    exec(source[source.index("CONFIG = ") : source.index("\n\n\n", source.index("CONFIG = "))], found)
    for state in found["CONFIG"]["states"].values():
        variables = {entry["name"]: entry["value"] for entry in state["operator_args"]["env_vars"]}
        assert json.loads(variables["METAFLOW_FLOW_CONFIG_VALUE"])["limits"] == "kv.limits"
    assert found["CONFIG"]["file_path"] == str(file)
    assert world.workflows()["AlphaFlow"]["flow_template_id"] == f"{world.project}.test.feature_x.AlphaFlow"


def make_batch_queue(url: str, name: str) -> None:
    """Make a queue of AWS Batch, with the machines that Metaflow asks it about."""
    iam, ec2, batch = (
        boto3.client(service, endpoint_url=url, region_name=ROLE["AWS_DEFAULT_REGION"])
        for service in ("iam", "ec2", "batch")
    )
    role = iam.create_role(RoleName="batch", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    profile = iam.create_instance_profile(InstanceProfileName="batch")["InstanceProfile"]["Arn"]
    machines = {
        "type": "EC2",
        "minvCpus": 0,
        "maxvCpus": 1,
        "instanceTypes": ["m5.large"],
        "instanceRole": profile,
        "subnets": [ec2.describe_subnets()["Subnets"][0]["SubnetId"]],
        "securityGroupIds": [ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]],
    }
    where = batch.create_compute_environment(
        computeEnvironmentName="machines", type="MANAGED", serviceRole=role, computeResources=machines
    )["computeEnvironmentArn"]
    order = [{"order": 1, "computeEnvironment": where}]
    batch.create_job_queue(jobQueueName=name, state="ENABLED", priority=1, computeEnvironmentOrder=order)


def test_a_flow_on_step_functions_is_a_state_machine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make_batch_queue(world.store, "queue")
    for name, value in {
        "AWS_ENDPOINT_URL": world.store,
        "METAFLOW_SFN_IAM_ROLE": "arn:aws:iam::123456789012:role/sfn",
        "METAFLOW_EVENTS_SFN_ACCESS_IAM_ROLE": "arn:aws:iam::123456789012:role/events",
        "METAFLOW_BATCH_JOB_QUEUE": "queue",
        "METAFLOW_BATCH_CONTAINER_IMAGE": "python:3.11",
        "METAFLOW_ECS_S3_ACCESS_IAM_ROLE": "arn:aws:iam::123456789012:role/ecs",
    }.items():
        monkeypatch.setenv(name, value)
    # Here, Metaflow's configuration names the orchestrator.
    assert world.deploy("--branch", "feature/x") == 0, world.complaints
    assert world.documents[0]["flows"]["deployer"] == "step-functions"
    assert world.documents[0]["flows"]["elsewhere"] == {"AlphaFlow": "airflow"}
    assert world.workflows()["AlphaFlow"]["flow_template_id"] == f"{world.project}.test.feature_x.AlphaFlow"
    machines = boto3.client("stepfunctions", endpoint_url=world.store, region_name=ROLE["AWS_DEFAULT_REGION"])
    assert [machine["name"] for machine in machines.list_state_machines()["stateMachines"]] == [
        f"{world.project}.test.feature_x.AlphaFlow"
    ]
    result = teardown(f"{world.project}/feature/x")
    assert (result.status, result.deleted) == ("ok", ["flow AlphaFlow", "spec"])
    assert machines.list_state_machines()["stateMachines"] == []
    assert requests.get(f"{world.address}/latestflowproject", timeout=20).status_code == 404
