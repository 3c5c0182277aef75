"""`manage.py check` reports a configuration that can't be served."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.management import get_commands

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def check(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(tmp_path, "manage.py", "check", **environment)


def run(tmp_path: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    own = {"ASSETSITE_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "assetsite.settings"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, **own, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.sample(2)
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
def test_a_setting_that_is_missing_is_named(tmp_path, environment, code, words):
    checked = check(tmp_path, **environment)
    assert checked.returncode == 1
    assert code in checked.stderr
    assert words in checked.stderr
    assert "Traceback" not in checked.stderr


EVERY_COMMAND = """
import sys, manage
for command in %r:
    sys.argv = ["manage.py", command]
    try:
        manage.main()
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


def test_a_misspelt_setting_is_a_warning(tmp_path):
    checked = check(tmp_path, ASSETSITE_CARDROOTS="/data", ASSETSITE_URL="http://127.0.0.1:8000")
    assert checked.returncode == 0
    assert checked.stderr.count("assetsite.W001") == 1
    assert "Is ASSETSITE_CARD_ROOTS meant?" in checked.stderr


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "environment",
    [
        {},
        {
            "ASSETSITE_MODE": "team",
            "ASSETSITE_SECRET_KEY": "k" * 60,
            "ASSETSITE_ALLOWED_HOSTS": "assets.example.org",
        },
    ],
    ids=["local", "team"],
)
def test_a_complete_configuration_passes(tmp_path, environment):
    checked = check(tmp_path, **environment)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.sample(1)
@pytest.mark.parametrize("trusted", ["true", "false"])
def test_tls_without_a_trusted_proxy_is_a_loop_that_is_told(tmp_path, trusted):
    team = {"ASSETSITE_MODE": "team", "ASSETSITE_SECRET_KEY": "k" * 60, "ASSETSITE_ALLOWED_HOSTS": "assets.example.org"}
    checked = check(tmp_path, **team, ASSETSITE_TLS="true", ASSETSITE_TRUST_PROXY=trusted)
    assert checked.returncode == 0, checked.stderr
    assert ("access.W001" in checked.stderr) == (trusted == "false")


def test_an_sqlite_that_is_too_old_is_refused(tmp_path):
    old = "import sqlite3; sqlite3.sqlite_version, sqlite3.sqlite_version_info = '3.34.1', (3, 34, 1)"
    checked = run(tmp_path, "-c", f"{old}; import manage; manage.main()", "check")
    assert checked.returncode == 1
    assert "catalog.E003" in checked.stderr
    assert "the catalogue needs 3.35 or newer" in checked.stderr


def test_the_site_decides_nothing_for_the_rest_of_its_domain(tmp_path):
    team = {"ASSETSITE_MODE": "team", "ASSETSITE_SECRET_KEY": "k" * 60, "ASSETSITE_ALLOWED_HOSTS": "testserver"}
    code = "import django; django.setup(); from django.test import Client; print(Client().get('/sign-in', secure=True))"
    done = run(tmp_path, "-c", f"{code[:-1]}['Strict-Transport-Security'])", **team, ASSETSITE_TLS="true")
    assert done.stdout.strip() == "max-age=31536000", done.stderr


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
    asking = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(8)]
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
