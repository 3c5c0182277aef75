from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from metaflow import metaflow_config_funcs

from tests.obproject.stub_server import StubCatalogue, StubServer


@pytest.fixture
def catalogue() -> Iterator[StubCatalogue]:
    with StubServer() as catalogue:
        yield catalogue


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> pytest.MonkeyPatch:
    """No setting from the machine that runs the tests; returns the MonkeyPatch to make some with."""
    for name in os.environ:
        if name.startswith(("ASSETSITE_", "METAFLOW_", "OBP_", "OB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("METAFLOW_HOME", str(tmp_path))
    monkeypatch.setattr(metaflow_config_funcs, "METAFLOW_CONFIG", {})
    monkeypatch.setattr(metaflow_config_funcs, "METAFLOW_LOCAL_CONFIG", {})
    return monkeypatch
