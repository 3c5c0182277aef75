"""Tasks that run elsewhere: a step of a real Argo template, run as a container would, registers on a real site."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
import tarfile
import venv
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests

from obproject import settings
from obproject.errors import InvalidSettings
from obproject.settings import find_settings, settings_to_ship
from obproject.shipping import FILE
from tests.conftest import Site
from tests.obproject.argo import ROLE, Template, compiled, object_store, stored
from tests.obproject.flows import write_flow

SECRET = "token-of-whoever-deploys"
SPEC = {"branch_name": "release/v2", "branch": "release_v2", "spec": {"project_branch": "release_v2"}}
FLOW = """
    import os

    import metaflow
    import obproject
    from metaflow import environment, step
    from obproject.settings import find_settings

    class AwayFlow(obproject.ProjectFlow):
        @environment(vars={"OWN": "kept"})
        @step
        def start(self):
            self.numbers = [1, 2, 3]
            settings = find_settings()
            self.prj.register_data("numbers", "numbers", annotations={
                "code": [metaflow.__file__, obproject.__file__],
                "retries": settings.retries,
                "token": str(settings.token),
                "spec": self.project_spec,
                "title": self.project_config["title"],
                "own": os.environ["OWN"],
            })
            self.next(self.end)

        @step
        def end(self):
            pass

    if __name__ == "__main__":
        AwayFlow()
"""
IN_FILE = {"ASSETSITE_TOKEN": SECRET, "ASSETSITE_RETRIES": "1"}
PROJECT = 'project = "away"\ntitle = "Far away"\n'
PACKAGES = '[project]\nname = "away"\ndependencies = ["not-in-the-image"]\n'


@dataclass
class Machine:
    """Another machine, whose image has all packages but ours."""

    folder: Path

    def __post_init__(self) -> None:
        venv.create(self.folder / "python", symlinks=True)
        (packages,) = (self.folder / "python" / "lib").glob("python*/site-packages")
        # The .pth files of a folder that is named in one don't count, and so neither does an editable installation.
        (packages / "image.pth").write_text(sysconfig.get_path("purelib"))

    def run(self, template: Template, step: str, run: str, **more: str) -> Path:
        """Run a step's container in an empty folder, which is returned; ``more`` is added to its environment."""
        container = next(one["container"] for one in template["spec"]["templates"] if one["name"] == step)
        home = self.folder / run
        home.mkdir()
        env = {one["name"]: one["value"] or "from-the-pod" for one in container["env"]}
        env |= {"PATH": f"{self.folder}/python/bin:/usr/bin:/bin", "HOME": str(home)}
        done = subprocess.run(
            [as_argo_would(part, run, home) for part in container["command"]],
            cwd=home,
            env={name: as_argo_would(value, run, home) for name, value in env.items()} | ROLE | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return home


def as_argo_would(text: str, run: str, home: Path) -> str:
    """Fill in what Argo fills in; do without what a pod has for itself: its /tmp, and its /mnt/out for Argo."""
    text = text.replace("{{workflow.name}}", run).replace("{{workflow.creationTimestamp}}", "now")
    text = re.sub(r"--with=argo_workflows_internal\S*", "", text)
    return text.replace("/tmp/mf-input-paths", f"{home}/input-paths")


@dataclass
class Deployed:
    """A deployment, and the home folder of the container that its first step ran in."""

    url: str
    template: Template
    said: str
    package: dict[str, bytes]
    home: Path
    registered: dict[str, Any]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, served: Site) -> Deployed:
    """Deployed from a branch, with settings in the environment and in Metaflow's configuration file."""
    folder = tmp_path_factory.mktemp("deployed")
    write_flow(folder, FLOW, PROJECT)
    (folder / "project_spec.json").write_text(json.dumps(SPEC))
    (folder / "pyproject.toml").write_text(PACKAGES)
    (folder / "config.json").write_text(json.dumps({f"METAFLOW_{name}": value for name, value in IN_FILE.items()}))
    in_env = {"ASSETSITE_URL": served.url, "OBPROJECT_SKIP_PYPI_BASE": "1", "METAFLOW_HOME": str(folder)}
    configs = {"project_spec": "project_spec.json", "project_deps": "pyproject.toml"}
    options = [text for name, file in configs.items() for text in ("--config", name, file)]
    with object_store() as store:
        template, said = compiled(folder, store, *options, **in_env)
        package = unpacked_package(store, template)
        home = Machine(folder / "elsewhere").run(template, "start", "run-1")
    latest = f"{served.url}/v1/perimeters/default/projects/away/branches/release_v2/data/numbers/instances/latest"
    return Deployed(served.url, template, said, package, home, requests.get(latest, timeout=30).json())


def unpacked_package(store: str, template: Template) -> dict[str, bytes]:
    (address, *_) = re.findall(r"s3://([^\"\\ ]+/data/[^\"\\ ]+)", json.dumps(template))
    with tarfile.open(fileobj=BytesIO(stored(store, address))) as archive:
        return {one.name: file.read() for one in archive if (file := archive.extractfile(one))}


@pytest.mark.long
@pytest.mark.flows
def test_a_container_registers_on_its_branch_of_its_server(deployed: Deployed) -> None:
    registered = deployed.registered
    assert registered["state"] == "ready"
    assert registered["created_by"]["entity_id"].startswith("AwayFlow/argo-run-1/start/")
    assert registered["datastore"] == {"type": "s3", "root": "s3://flows/metaflow"}
    noted = registered["data_properties"]["annotations"]
    assert (noted["spec"], noted["title"]) == (SPEC, "Far away")
    assert (noted["retries"], noted["own"]) == (1, "kept")


@pytest.mark.long
@pytest.mark.flows
def test_a_container_runs_the_code_of_the_package(deployed: Deployed) -> None:
    unpacked = deployed.home / "metaflow" / ".mf_code"
    expected = [str(unpacked / name / "__init__.py") for name in ("metaflow", "obproject")]
    assert deployed.registered["data_properties"]["annotations"]["code"] == expected
    assert (unpacked / "metaflow_extensions/assetsite/plugins/task_decorator.py").is_file()


@pytest.mark.long
@pytest.mark.flows
def test_no_token_is_in_the_template_or_the_package(deployed: Deployed) -> None:
    assert deployed.registered["data_properties"]["annotations"]["token"] == "None"
    assert SECRET not in json.dumps(deployed.template)
    assert [name for name, content in deployed.package.items() if SECRET.encode() in content] == []


@pytest.mark.long
@pytest.mark.flows
def test_the_package_carries_what_was_set_and_nothing_else(deployed: Deployed) -> None:
    assert json.loads(deployed.package[f".mf_meta/{FILE}"]) == {
        "ASSETSITE_URL": deployed.url,
        "ASSETSITE_RETRIES": "1",
        "OBPROJECT_SKIP_PYPI_BASE": "1",
    }


@pytest.mark.long
@pytest.mark.flows
def test_whoever_deploys_is_told_once_that_an_address_is_for_this_machine_only(deployed: Deployed) -> None:
    assert deployed.said.count("assetsite:") == 1
    assert f"assetsite: {deployed.url} is an address of this machine" in deployed.said


@pytest.fixture
def unpacked(unconfigured: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A task elsewhere, whose package carries settings."""
    carried = {"ASSETSITE_URL": "http://carried", "ASSETSITE_STRICT": "1", "OBP_PERIMETER": "carried"}
    unconfigured.setattr(settings, "carried", lambda: carried)
    return unconfigured


def test_what_the_package_carries_is_found_where_nothing_else_is_set(unpacked: pytest.MonkeyPatch) -> None:
    found = find_settings(project_perimeter="project")
    assert (found.url, found.strict, found.perimeter, found.token) == ("http://carried", True, "carried", None)


def test_the_environment_of_the_task_wins_over_the_package(unpacked: pytest.MonkeyPatch) -> None:
    unpacked.setenv("METAFLOW_ASSETSITE_URL", "http://here")
    unpacked.setenv("ASSETSITE_STRICT", "0")
    unpacked.setenv("ASSETSITE_TOKEN", "of the task")
    unpacked.setenv("OBP_PERIMETER", "here")
    found = find_settings()
    assert (found.url, found.strict, found.perimeter, found.token) == ("http://here", False, "here", "of the task")


def test_a_task_that_runs_elsewhere_ships_on_what_it_was_given(unpacked: pytest.MonkeyPatch) -> None:
    assert settings_to_ship() == settings.carried()


def test_our_own_address_is_carried_past_that_of_another_platform(unpacked: pytest.MonkeyPatch) -> None:
    unpacked.setenv("OBP_API_SERVER", "platform.example.com")
    unpacked.setenv("METAFLOW_SERVICE_AUTH_KEY", "key of the platform")
    assert (find_settings().url, find_settings().headers) == ("http://carried", {})


def test_what_is_shipped_has_no_credentials(unconfigured: pytest.MonkeyPatch) -> None:
    unconfigured.setenv("OBP_API_SERVER", "platform.example.com")
    unconfigured.setenv("ASSETSITE_WAIT", "5")
    for name in ("ASSETSITE_TOKEN", "METAFLOW_ASSETSITE_TOKEN", "METAFLOW_SERVICE_AUTH_KEY"):
        unconfigured.setenv(name, SECRET)
    unconfigured.setenv("METAFLOW_SERVICE_HEADERS", json.dumps({"x-api-key": SECRET}))
    assert settings_to_ship() == {"OBP_API_SERVER": "platform.example.com", "ASSETSITE_WAIT": "5"}


def test_a_setting_that_cannot_be_used_is_refused_where_it_is_shipped(unconfigured: pytest.MonkeyPatch) -> None:
    unconfigured.setenv("ASSETSITE_URL", "http://user:password@catalogue.example.com")
    with pytest.raises(InvalidSettings, match="ASSETSITE_TOKEN"):
        settings_to_ship()
