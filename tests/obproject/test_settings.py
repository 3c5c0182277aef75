"""Where the client finds the catalogue, and what it makes of values that it can't use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from metaflow import metaflow_config_funcs

from obproject.errors import InvalidSettings
from obproject.settings import find_settings


def test_nothing_configured_is_no_error(unconfigured: pytest.MonkeyPatch) -> None:
    settings = find_settings()
    assert settings.url is None
    assert settings.token is None
    assert settings.perimeter == "default"
    assert (settings.timeout, settings.retries) == (10.0, 2)


def test_an_argument_wins_over_the_environment_and_that_over_the_configuration(
    unconfigured: pytest.MonkeyPatch,
) -> None:
    configuration = {"METAFLOW_ASSETSITE_URL": "http://configured", "METAFLOW_ASSETSITE_PERIMETER": "configured"}
    unconfigured.setattr(metaflow_config_funcs, "METAFLOW_CONFIG", configuration)
    assert find_settings().url == "http://configured"
    unconfigured.setenv("METAFLOW_ASSETSITE_URL", "http://metaflow-environment")
    assert find_settings().url == "http://metaflow-environment"
    unconfigured.setenv("ASSETSITE_URL", " http://environment/assets/ ")
    assert find_settings().url == "http://environment/assets"
    assert find_settings(url="https://argument").url == "https://argument"
    # Each value is looked up by itself.
    assert find_settings(url="https://argument").perimeter == "configured"


def test_a_metaflow_profile_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "config_team.json").write_text(
        json.dumps({"METAFLOW_ASSETSITE_URL": "https://assets.example.com", "METAFLOW_ASSETSITE_TOKEN": "t1"})
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ASSETSITE_", "METAFLOW_"))}
    env |= {"METAFLOW_HOME": str(tmp_path), "METAFLOW_PROFILE": "team"}
    script = "from obproject.settings import find_settings as find; s = find(); print(s.url, s.token)"
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["https://assets.example.com", "t1"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OBP_API_SERVER", "api.example.com", "https://api.example.com"),
        ("OBP_API_SERVER", "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("OBP_INTEGRATIONS_URL", "http://host:8000/integrations", "http://host:8000"),
        ("OBP_API_SERVER", "host.example/assets/", "https://host.example/assets"),
        ("OBP_INTEGRATIONS_URL", "https://host.example/assets/integrations", "https://host.example/assets"),
    ],
)
def test_the_reference_protocols_own_names_come_last(
    unconfigured: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    unconfigured.setenv(name, value)
    unconfigured.setenv("OBP_PERIMETER", "research")
    unconfigured.setenv("METAFLOW_SERVICE_HEADERS", '{"x-api-key": "service-key"}')
    settings = find_settings()
    assert (settings.url, settings.perimeter) == (expected, "research")
    assert settings.headers == {"x-api-key": "service-key"}
    unconfigured.setenv("ASSETSITE_TOKEN", "own")
    assert find_settings().headers == {"x-api-key": "own"}


def test_the_projects_own_perimeter_is_better_than_the_default_only(unconfigured: pytest.MonkeyPatch) -> None:
    assert find_settings(project_perimeter="project").perimeter == "project"
    assert find_settings(perimeter="argument", project_perimeter="project").perimeter == "argument"
    unconfigured.setenv("OBP_PERIMETER", "vendor")
    assert find_settings(project_perimeter="project").perimeter == "vendor"
    unconfigured.setenv("ASSETSITE_PERIMETER", "environment")
    assert find_settings(project_perimeter="project").perimeter == "environment"


def test_the_metaflow_services_key_is_not_sent_to_another_server(unconfigured: pytest.MonkeyPatch) -> None:
    unconfigured.setenv("METAFLOW_SERVICE_HEADERS", '{"x-api-key": "service-key"}')
    unconfigured.setenv("OBP_API_SERVER", "api.example.com")
    unconfigured.setenv("ASSETSITE_URL", "http://127.0.0.1:8000")
    assert find_settings().headers == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ASSETSITE_URL", "catalogue.example.com"),
        ("ASSETSITE_URL", "ftp://catalogue.example.com"),
        ("ASSETSITE_URL", "http://user:secret@catalogue.example.com"),
        ("ASSETSITE_PERIMETER", "a/b"),
        ("ASSETSITE_TIMEOUT", "soon"),
        ("ASSETSITE_TIMEOUT", "0"),
        ("ASSETSITE_TIMEOUT", "nan"),
        ("ASSETSITE_RETRIES", "-1"),
        ("ASSETSITE_RETRIES", "1.5"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(
    unconfigured: pytest.MonkeyPatch, name: str, value: str
) -> None:
    unconfigured.setenv(name, value)
    with pytest.raises(InvalidSettings, match="ASSETSITE_") as raised:
        find_settings()
    assert "secret" not in str(raised.value)


def test_a_token_is_not_shown() -> None:
    assert "hidden-token" not in repr(find_settings(url="http://x", token="hidden-token"))


@pytest.mark.parametrize("name", ["ASSETSITE_URL", "METAFLOW_ASSETSITE_URL", "OBP_API_SERVER"])
def test_fault_52_a_server_that_speaks_plain_http_can_be_named_by_every_name(
    unconfigured: pytest.MonkeyPatch, name: str
) -> None:
    unconfigured.setenv(name, "http://127.0.0.1:8000")
    assert find_settings().url == "http://127.0.0.1:8000"
