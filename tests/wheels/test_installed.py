"""The wheels in a clean environment, far from the checkout: the site at an empty catalogue, and a flow for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import requests

from tests.places import CHECKOUT
from tests.wheels.installed import Installed

pytestmark = [pytest.mark.slow, pytest.mark.flows]

MINE = ("access", "catalog", "examples", "lineage", "telling", "templates")
"""Names of the site's own, which a user's files have as well."""


@pytest.fixture(scope="module")
def installed(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), wheels)


@pytest.fixture(scope="module")
def said(installed: Installed) -> Iterator[Path]:
    for name in MINE:
        (installed.work / f"{name}.py").write_text("raise SystemExit('not the one of the site')\n")
    with installed.served() as log:
        yield log


def get(installed: Installed, path: str) -> str:
    answer = requests.get(f"{installed.url}{path}", timeout=20)
    assert answer.ok, path
    return answer.text


def test_the_commands_are_there(installed):
    assert installed.run("assetsite", "--version") == f"assetsite {version('assetsite')}\n"
    assert "assetsite manage migrate" in installed.run("assetsite", "help")
    assert "doctor" in installed.run("obproject", "--help")


def test_it_says_first_where_it_keeps_its_files(installed, said):
    assert said.read_text().splitlines()[0].endswith(f" keeps its files in {installed.files}")
    assert {"catalogue.sqlite3", "secret_key"} <= {path.name for path in installed.files.iterdir()}


def test_an_empty_catalogue_is_served_with_all_that_its_pages_need(installed, said):
    home = get(installed, "/")
    assert "obproject.toml" in home
    needed = {path for page in (home, get(installed, "/admin/")) for path in re.findall(r'"(/static/[^"#]+)', page)}
    assert {"/static/app.css", "/static/django_htmx/htmx-2.min.js", "/static/admin/css/base.css"} <= needed
    for path in needed:
        assert get(installed, path)
    assert "/v1/" in get(installed, "/v1/docs")


def test_a_users_own_files_are_not_taken_for_the_sites(installed, said):
    command = ("python", "-m", "assetsite", "manage", "makemigrations", "--check", "--dry-run")
    assert "No changes detected" in installed.run(*command, PYTHONPATH=str(installed.work))


def test_the_quick_start_works_as_it_is_written(installed, said, tmp_path):
    quickstart = (CHECKOUT / "docs/quickstart.md").read_text()
    diff = re.search(r"```diff\n(.*?)```", quickstart, re.DOTALL)[1].splitlines()
    toml = re.search(r"```toml\n(.*?)```", quickstart, re.DOTALL)[1]
    (tmp_path / "flow.py").write_text("\n".join(line[1:] for line in diff if not line.startswith("-")))
    (tmp_path / "obproject.toml").write_text(toml)
    user = {"ASSETSITE_URL": installed.url, "METAFLOW_USER": "ada", "where": tmp_path}
    assert "my_project" in installed.run("obproject", "doctor", **user)
    told = installed.run("python", "flow.py", "run", **user)
    address = re.search(r"registered data asset 'points' v1 .* (http\S+)", told)[1]
    assert "TrainFlow" in get(installed, address.removeprefix(installed.url))
    assert "TrainFlow" in get(installed, "/default/my_project/user_ada/lineage")
