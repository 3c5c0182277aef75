"""compose.yaml: as its schema has it, safe by itself, and with nothing to set that is not explained."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.places import CHECKOUT, place

TEXT = (CHECKOUT / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCS = (CHECKOUT / "docs/containers.md").read_text()
CHECK = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
ASKED = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
REQUIRED = set(re.findall(r"\$\{([A-Z_]+):\?", TEXT))
SETTINGS = set(re.findall(r'env\.\w+\("([A-Z_]+)"', place("assetsite/settings.py").read_text()))
EXAMPLE = dict(re.findall(r"^([A-Z_]+)=(.*)$", (CHECKOUT / ".env.example").read_text(), re.MULTILINE))
OF_THE_SITE = ("site", "worker")


def is_valid(file: Path) -> bool:
    return subprocess.run([*CHECK, file], capture_output=True, timeout=60, check=False).returncode == 0


def test_its_schema_takes_it_and_no_wrong_one(tmp_path: Path) -> None:
    assert is_valid(CHECKOUT / "compose.yaml")
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(TEXT.replace("read_only: true", "read_only: [perhaps]"))
    assert not is_valid(wrong)


def test_every_variable_is_explained_and_no_other() -> None:
    explained = set(re.findall(r"^\| `([A-Z_]+)` \|", DOCS, re.MULTILINE))
    assert explained == ASKED
    assert {name for name in ASKED if name.startswith("ASSETSITE_")} - {"ASSETSITE_IMAGE"} <= SETTINGS


@pytest.mark.parametrize("name", OF_THE_SITE)
def test_what_is_set_for_the_site_are_settings_of_it(name: str) -> None:
    assert SERVICES[name]["environment"].keys() <= SETTINGS
    assert SERVICES[name]["env_file"] == [".env"]


def test_the_example_has_what_is_required_and_no_secret() -> None:
    assert EXAMPLE.keys() >= REQUIRED
    assert EXAMPLE.keys() <= ASKED | SETTINGS
    assert {name for name, value in EXAMPLE.items() if not value} == {"ASSETSITE_SECRET_KEY", "POSTGRES_PASSWORD"}
    assert re.findall(r"(?:PASSWORD|SECRET|KEY)\w*:-", TEXT) == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert "privileged" not in service
    assert re.search(r":\d|^\$", service["image"])  # no other major version comes by itself


def test_nginx_alone_is_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert SERVICES["postgres"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_nginx_has_the_configuration_that_the_tests_run() -> None:
    configuration = (CHECKOUT / "container/nginx.conf").read_text()
    assert SERVICES["nginx"]["volumes"] == ["./container/nginx.conf:/etc/nginx/conf.d/default.conf:ro"]
    files = re.findall(r"ssl_certificate(?:_key)? /run/secrets/(\w+);", configuration)
    assert files == SERVICES["nginx"]["secrets"] == list(COMPOSE["secrets"])
    assert f"server site:{SERVICES['site']['environment']['PORT']};" in configuration


def test_the_worker_waits_for_the_site_and_all_for_the_database() -> None:
    waits = {name: {other: how["condition"] for other, how in service.get("depends_on", {}).items()}
             for name, service in SERVICES.items()}  # fmt: skip
    healthy = "service_healthy"
    assert waits == {"site": {"postgres": healthy}, "worker": {"site": healthy}, "nginx": {"site": healthy}} | {
        "postgres": {}
    }
    assert [SERVICES[name].get("command") for name in OF_THE_SITE] == [None, ["work"]]
    assert "HEALTHCHECK" in (CHECKOUT / "Containerfile").read_text()  # of the site
