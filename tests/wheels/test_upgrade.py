"""An installed site is upgraded to a next version, which has a migration more, taken back, and removed."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest
import requests

from tests.wheels.building import UV, build, install, version
from tests.wheels.installed import Installed

pytestmark = [pytest.mark.slow, pytest.mark.long]

NEXT = "99.0.0"
MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("catalog", "{last}")]
    operations = [migrations.RunSQL("CREATE TABLE of_the_next_version (id integer)")]
"""
ASSET = "/v1/perimeters/default/projects/churn/branches/main/data/customers"


def make_next(source: Path) -> None:
    """Make the files of a checkout those of a next version."""
    for file in (source / "pyproject.toml", source / "client" / "pyproject.toml"):
        file.write_text(file.read_text().replace(f'{version()}"', f'{NEXT}"'))
    migrations = source / "catalog" / "migrations"
    last = max(path.stem for path in migrations.glob("0*.py"))
    (migrations / "0999_of_the_next_version.py").write_text(MIGRATION.format(last=last))


def register(installed: Installed) -> None:
    task = {"entity_kind": "task", "entity_id": "DatasetFlow/1/start/1"}
    body = {"entity_ref": task, "data_asset_kind": "artifact"}
    assert requests.patch(f"{installed.url}{ASSET}", json=body, timeout=20).status_code == 201


def versions(installed: Installed) -> set[str]:
    found = requests.get(f"{installed.url}{ASSET}", timeout=20).json()
    return {f"v{instance['number']}" for instance in found["recent_instances"]}


def tables(installed: Installed) -> set[str]:
    with closing(connect(installed.files / "catalogue.sqlite3")) as database:
        return {name for (name,) in database.execute("SELECT name FROM sqlite_master")}


def test_an_installed_site_is_upgraded_taken_back_and_removed(wheels: list[Path], tmp_path: Path) -> None:
    installed, dist = Installed(tmp_path / "user", wheels), tmp_path / "next"
    next_wheels = build(dist, make_next)
    with installed.served():
        register(installed)
        installed.run("assetsite", "backup", "before.zip")

    install(installed.bin, next_wheels)
    assert NEXT in installed.run("assetsite", "--version")
    assert "of_the_next_version" not in tables(installed)
    with installed.served():
        assert "of_the_next_version" in tables(installed)
        register(installed)
        assert versions(installed) == {"v1", "v2"}

    install(installed.bin, wheels)
    refused = installed.run("assetsite", "serve", code=1)
    assert f"is of a newer version than this assetsite {version()}" in refused
    assert "Traceback" not in refused
    installed.run("assetsite", "restore", "--replace", "before.zip")
    with installed.served():
        assert versions(installed) == {"v1"}

    command = [UV, "pip", "uninstall", "--quiet", "--python", installed.bin / "python", "assetsite", "assetsite-client"]
    subprocess.run(command, check=True)
    (packages,) = installed.bin.parent.glob("lib/*/site-packages")
    gone = {"assetsite", "metaflow_extensions", "obproject"}
    assert [path.name for path in packages.iterdir() if path.name.split("-")[0] in gone] == []
    assert not (installed.bin / "assetsite").exists()
    assert {"catalogue.sqlite3", "secret_key"} <= {path.name for path in installed.files.iterdir()}
