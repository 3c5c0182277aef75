"""`assetsite check` reports a configuration that can't be served."""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.core.management import call_command, get_commands
from django.core.management.base import SystemCheckError
from django.test import Client, override_settings

from tests.places import CHECKOUT, place

pytestmark = pytest.mark.slow

TEAM = {"ASSETSITE_MODE": "team", "ASSETSITE_SECRET_KEY": "k" * 60, "ASSETSITE_ALLOWED_HOSTS": "assets.example.org"}
NOT_SET_ANEW = {"DATABASES", "TEMPLATES"}
"""What this process can't change once it has begun; none of it is checked here."""


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AbstractContextManager[None]]:
    """The settings of an environment, in this process: starting another one for each takes two seconds."""

    def configured(**environment: str) -> AbstractContextManager[None]:
        for name in [name for name in os.environ if name.startswith("ASSETSITE_")]:
            monkeypatch.delenv(name)
        for name, value in ({"ASSETSITE_HOME": str(tmp_path)} | environment).items():
            monkeypatch.setenv(name, value)
        found = runpy.run_path(str(place("assetsite/settings.py")))
        new = {name for name in found if name.isupper() and found[name] != getattr(site_settings, name, None)}
        return override_settings(**{name: found[name] for name in new - NOT_SET_ANEW})

    return configured


def complaints() -> str:
    """What `assetsite check` says without ending."""
    call_command("check", stdout=StringIO(), stderr=(said := StringIO()))
    return said.getvalue()


def run(tmp_path: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own = {"ASSETSITE_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "assetsite.settings"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=CHECKOUT,
        env={**kept, **own, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        (
            {"ASSETSITE_MODE": "team", "ASSETSITE_ALLOWED_HOSTS": "assets.example.org"},
            "access.E002",
            "ASSETSITE_SECRET_KEY is not set",
        ),
        (
            {"ASSETSITE_MODE": "team", "ASSETSITE_SECRET_KEY": "k" * 60},
            "access.E003",
            "ASSETSITE_ALLOWED_HOSTS is not set",
        ),
        ({"ASSETSITE_CARD_ROOTS": "/data,Beta=/data"}, "catalog.E001", "'Beta' is not the name of a perimeter."),
    ],
)
def test_a_setting_that_is_missing_is_named(configured, environment, code, words):
    with configured(**environment), pytest.raises(SystemCheckError) as refused:
        complaints()
    assert code in str(refused.value)
    assert words in str(refused.value)


def test_what_is_missing_ends_the_command(tmp_path):
    checked = run(
        tmp_path, "-m", "assetsite", "check", ASSETSITE_MODE="team", ASSETSITE_ALLOWED_HOSTS="assets.example.org"
    )
    assert checked.returncode == 1
    assert "access.E002" in checked.stderr
    assert "ASSETSITE_SECRET_KEY is not set" in checked.stderr
    assert "Traceback" not in checked.stderr


EVERY_COMMAND = """
from assetsite.command import manage
for command in %r:
    try:
        manage("manage.py", [command])
    except SystemExit as end:
        print(end)
"""


def test_all_wrong_settings_are_told_at_once_by_every_command(tmp_path):
    (tmp_path / "file").touch()
    wrong = {
        "ASSETSITE_HOME": str(tmp_path / "file" / "home"),
        "ASSETSITE_WORKERS": "0",
        "DATABASE_URL": "postgres://ada:s3cret@db:port/x",
    }
    done = run(tmp_path, "-c", EVERY_COMMAND % [*get_commands()], **wrong)
    assert done.stdout.count("The site can't run with these settings:") == len(get_commands())
    assert (
        done.stdout.count("ASSETSITE_HOME is ") == done.stdout.count("ASSETSITE_WORKERS is '0'") == len(get_commands())
    )
    assert "s3cret" not in done.stdout
    assert "Traceback" not in done.stderr
    loaded = run(tmp_path, "-c", "import assetsite.wsgi", **wrong)
    assert loaded.returncode == 1
    assert "Traceback" not in loaded.stderr


def test_a_misspelt_setting_is_a_warning(configured):
    with configured(ASSETSITE_CARDROOTS="/data", ASSETSITE_URL="http://127.0.0.1:8000"):
        said = complaints()
    assert said.count("assetsite.W001") == 1
    assert "Is ASSETSITE_CARD_ROOTS meant?" in said


@pytest.mark.parametrize("environment", [{}, TEAM], ids=["local", "team"])
def test_a_complete_configuration_passes(configured, environment):
    with configured(**environment):
        assert complaints() == ""


@pytest.mark.parametrize("trusted", ["true", "false"])
def test_tls_without_a_trusted_proxy_is_a_loop_that_is_told(configured, trusted):
    with configured(**TEAM, ASSETSITE_TLS="true", ASSETSITE_TRUST_PROXY=trusted):
        assert ("access.W001" in complaints()) == (trusted == "false")


def test_an_sqlite_that_is_too_old_is_refused(monkeypatch):
    monkeypatch.setattr("sqlite3.sqlite_version", "3.34.1")
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))
    with pytest.raises(SystemCheckError) as refused:
        complaints()
    assert "catalog.E003" in str(refused.value)
    assert "the catalogue needs 3.35 or newer" in str(refused.value)


def test_the_site_decides_nothing_for_the_rest_of_its_domain(db, configured):
    with configured(**TEAM | {"ASSETSITE_ALLOWED_HOSTS": "testserver"}, ASSETSITE_TLS="true"):
        assert Client().get("/sign-in", secure=True)["Strict-Transport-Security"] == "max-age=31536000"


# The key of the embedded default

ASK_FOR_KEY = """
import pathlib, sys
from assetsite.settings import secret_key_of
print(secret_key_of(pathlib.Path(sys.argv[1])))
"""


@pytest.mark.sample(1)
@pytest.mark.parametrize("left_behind", [None, ""], ids=["nothing", "an empty file"])
def test_processes_that_start_together_read_the_same_key(tmp_path, left_behind):
    home = tmp_path / "home"
    home.mkdir()
    if left_behind is not None:
        (home / "secret_key").write_text(left_behind)
    command = [sys.executable, "-c", ASK_FOR_KEY, str(home)]
    environment = os.environ | {"ASSETSITE_MODE": "team", "ASSETSITE_HOME": str(tmp_path / "other")}
    asking = [
        subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    keys = {process.communicate(timeout=60)[0].strip() for process in asking}
    assert keys == {(home / "secret_key").read_text()}
    assert len(keys.pop()) > 50
    assert (home / "secret_key").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in home.iterdir()} == {"secret_key", "secret_key.lock"}


def test_threads_that_ask_together_read_the_same_key(tmp_path):
    from assetsite.settings import secret_key_of

    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            (home := tmp_path / str(number)).mkdir()
            (home / "secret_key").touch()
            assert len(set(pool.map(secret_key_of, [home] * 8))) == 1


def test_local_mode_answers_to_loopback_names_only(settings):
    from access.checks import check_mode

    settings.MODE, settings.LOCAL_MODE = "local", True
    settings.ALLOWED_HOSTS = [*settings.LOCAL_HOSTS, "*"]
    assert [problem.id for problem in check_mode(None)] == ["access.E004"]
