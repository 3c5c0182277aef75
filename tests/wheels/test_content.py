"""What is in the wheels: all that a site and a flow need, and nothing else."""

from __future__ import annotations

import re
import sys
import tomllib
from email.message import Message
from email.parser import BytesParser
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.obproject.test_package import imports
from tests.places import CHECKOUT
from tests.wheels.building import build, tracked

pytestmark = pytest.mark.slow

ROOMS = ("access", "catalog", "comparing", "examples", "lineage", "promoting", "static", "telling", "templates")
CLIENT = ("metaflow_extensions", "obproject")
STAY = {".ci", "bench", "client", "container", "docs", "tests"}
"""Folders of a checkout that are in no wheel."""
SECRET = re.compile(r"(^|/)(\.env|secret_key|.*\.sqlite3|\.metaflow|.*\.(pem|key|pyc|log)$)")
WITHOUT_IMPORT = {
    "assetsite-client": "the rooms call it by the names of its packages",
    "tzdata": "zoneinfo reads it where the machine has no time zones",
    "uvloop": "Granian takes it where it is there",
    "whitenoise": "the settings name it",
}
"""Packages that the site depends on and does not import, and why."""
BROUGHT_BY = {"botocore": "boto3", "markupsafe": "jinja2", "urllib3": "requests"}
"""Packages that it imports to speak with others, which bring them."""


class Wheel:
    def __init__(self, path: Path) -> None:
        with ZipFile(path) as wheel:
            self.files = {name: wheel.read(name) for name in wheel.namelist()}
        (self.info,) = {name.partition("/")[0] for name in self.files if ".dist-info/" in name}
        self.metadata: Message = BytesParser().parsebytes(self.files[f"{self.info}/METADATA"])

    def content(self) -> set[str]:
        return {name for name in self.files if not name.startswith(self.info)}


@pytest.fixture(scope="module")
def client(wheels: list[Path]) -> Wheel:
    return Wheel(wheels[0])


@pytest.fixture(scope="module")
def site(wheels: list[Path]) -> Wheel:
    return Wheel(wheels[1])


def below(*folders: str) -> set[str]:
    return {name for name in tracked() if name.partition("/")[0] in folders}


def project(folder: str) -> dict:
    return tomllib.loads((CHECKOUT / folder / "pyproject.toml").read_text())["project"]


def test_the_site_has_its_rooms_below_one_package(site):
    assert site.content() == below("assetsite") | {f"assetsite/rooms/{name}" for name in below(*ROOMS)}
    kinds = {Path(name).suffix for name in site.content()}
    assert {".css", ".html", ".js", ".md", ".py", ".svg", ".toml"} <= kinds


def test_the_client_has_two_packages_of_which_metaflow_finds_one(client):
    assert client.content() == below(*CLIENT)
    assert client.files[f"{client.info}/top_level.txt"].decode().split() == [*CLIENT]


def test_every_folder_is_in_a_wheel_or_stays():
    assert {name.partition("/")[0] for name in tracked() if "/" in name} == {"assetsite", *ROOMS, *CLIENT} | STAY


def test_what_was_built_twice_is_the_same(wheels, tmp_path):
    assert [path.read_bytes() for path in build(tmp_path)] == [path.read_bytes() for path in wheels]


@pytest.mark.parametrize("which", ["client", "site"])
def test_nothing_is_in_it_that_is_nobodys_business(which, request):
    wheel = request.getfixturevalue(which)
    assert [name for name in wheel.files if SECRET.search(name) or "test" in Path(name).parts[0]] == []
    private = [str(CHECKOUT).encode(), str(Path.home()).encode() + b"/", b"-----BEGIN"]
    assert [name for name, content in wheel.files.items() if any(text in content for text in private)] == []


@pytest.mark.parametrize(("which", "folder"), [("client", "client"), ("site", ".")])
def test_an_index_can_show_it(which, folder, request):
    wheel, declared = request.getfixturevalue(which), project(folder)
    metadata = wheel.metadata
    assert (metadata["Name"], metadata["Version"]) == (declared["name"], declared["version"])
    assert metadata["License-Expression"] == "Apache-2.0"
    assert wheel.files[f"{wheel.info}/licenses/LICENSE"] == (CHECKOUT / "LICENSE").read_bytes()
    assert metadata["Requires-Python"] == declared["requires-python"] == ">=3.11"
    assert {Requirement(line) for line in metadata.get_all("Requires-Dist")} == requirements(folder)
    scripts = wheel.files[f"{wheel.info}/entry_points.txt"].decode()
    assert dict(re.findall(r"^(\S+) = (\S+)$", scripts, re.MULTILINE)) == declared["scripts"]


@pytest.mark.parametrize("which", ["client", "site"])
def test_its_readme_leads_nowhere_that_an_index_has_not(which, request):
    readme = request.getfixturevalue(which).metadata.get_payload()
    assert readme.startswith("# assetsite")
    assert [link for link in re.findall(r"\]\(([^)]*)\)", readme) if not link.startswith("https://")] == []
    assert "pip install assetsite" in readme


def requirements(folder: str) -> set[Requirement]:
    return set(map(Requirement, project(folder)["dependencies"]))


def test_the_site_depends_on_what_it_imports():
    files = [CHECKOUT / name for name in below("assetsite", *ROOMS) if name.endswith(".py")]
    own = {"assetsite", *ROOMS, *CLIENT} | {path.stem for path in files if "examples" in path.parts}
    distributions = packages_distributions()
    others = {name.partition(".")[0] for path in files for name in imports(path)} - own - sys.stdlib_module_names
    imported = {canonicalize_name(distributions[name][0]) for name in others}
    needed = {canonicalize_name(needed.name) for needed in requirements(".")}
    assert imported - {*BROUGHT_BY} == needed - {*WITHOUT_IMPORT}
    assert imported & {*BROUGHT_BY} == {*BROUGHT_BY}
    for package, by in BROUGHT_BY.items():
        assert package in {canonicalize_name(Requirement(line).name) for line in requires(by)}


@pytest.mark.parametrize("folder", ["client", "."])
def test_the_pins_are_among_the_versions_that_are_taken(folder):
    lines = (CHECKOUT / "requirements.txt").read_text().splitlines()
    pins = {canonicalize_name(line.split("==")[0]): line.split("==")[1] for line in lines if "==" in line}
    needed = {found for found in requirements(folder) if found.name != "assetsite-client"}
    assert [str(found) for found in needed if not found.specifier.contains(pins[canonicalize_name(found.name)])] == []
