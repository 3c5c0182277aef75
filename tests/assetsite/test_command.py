"""The command `assetsite`: what it lists it does, what it lacks it says, and its first line says where things are."""

import re
import subprocess
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from django.core.management import get_commands

from assetsite import ROOMS, command, home
from tests.places import ASSETSITE, CHECKOUT, MANAGE

OWN = {"demo", "manage"}


def test_what_it_lists_is_there():
    assert set(command.COMMANDS) - OWN <= set(get_commands())


def test_by_itself_it_lists_them(capsys):
    assert command.main([]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:-2]] == [*command.COMMANDS]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("serv", "Did you mean assetsite serve?"), ("recount", "For one of Django's: assetsite manage recount")],
)
def test_what_it_lacks_it_says_with_what_may_be_meant(name, hint, capsys):
    assert command.main([name]) == command.UNKNOWN
    said = capsys.readouterr()
    assert said.out == ""
    assert hint in said.err


def projects():
    """What the two packages say of themselves."""
    return [tomllib.loads((CHECKOUT / path / "pyproject.toml").read_text())["project"] for path in ("", "client")]


def test_it_is_the_version_that_both_packages_have(capsys):
    site, client = projects()
    assert command.main(["--version"]) == 0
    assert capsys.readouterr().out == f"assetsite {site['version']}\n"
    assert client["version"] == site["version"]
    assert f"assetsite-client=={client['version']}" in site["dependencies"]


def test_a_checkout_need_not_be_installed(capsys, monkeypatch):
    def version(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("catalog.starting.versions.version", version)
    assert command.main(["--version"]) == 0
    assert capsys.readouterr().out == "assetsite of this checkout\n"


@pytest.mark.parametrize("project", projects(), ids=lambda project: project["name"])
def test_the_pythons_that_a_package_lists_begin_with_the_one_that_it_needs(project):
    named = [re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", text) for text in project["classifiers"]]
    minors = [int(found[1]) for found in named if found]
    assert minors == [11, 12, 13, 14]
    assert project["requires-python"] == ">=3.11"


def test_the_first_line_says_where_files_are(tmp_path):
    words = [*ASSETSITE, "work", "--once", "--only", "prune"]
    env = {"ASSETSITE_HOME": str(tmp_path / "x")}
    subprocess.run([*MANAGE, "migrate", "-v", "0"], cwd=CHECKOUT, env=env, check=True)
    done = subprocess.run(words, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0].endswith(f" keeps its files in {tmp_path / 'x'}")


@pytest.mark.parametrize("installed", [False, True])
def test_what_is_installed_keeps_nothing_among_the_packages(installed, monkeypatch):
    monkeypatch.setattr(home, "IS_INSTALLED", installed)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert home.default_home() == (Path("/data/assetsite") if installed else ROOMS / ".assetsite")
