"""What `manage.py check` says about a configuration that can't be served."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**kept, "ASSETSITE_HOME": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        ({"ASSETSITE_MODE": "teams"}, "access.E001", "ASSETSITE_MODE is 'teams', which is not a mode."),
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
    ],
)
def test_a_setting_that_is_missing_is_named(tmp_path, environment, code, words):
    checked = check(tmp_path, **environment)
    assert checked.returncode == 1
    assert code in checked.stderr
    assert words in checked.stderr
    assert "Traceback" not in checked.stderr


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


def test_local_mode_answers_to_loopback_names_only(settings):
    from access.checks import check_mode

    settings.MODE, settings.LOCAL_MODE = "local", True
    settings.ALLOWED_HOSTS = [*settings.LOCAL_HOSTS, "*"]
    assert [problem.id for problem in check_mode(None)] == ["access.E004"]
