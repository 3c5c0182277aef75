"""The wheels that are tested: those of a release, else such as are built of this checkout."""

import os
from pathlib import Path

import pytest

from tests.wheels.building import build

RELEASED = "ASSETSITE_TEST_WHEELS"
"""The variable with the folder of the wheels of a release."""


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The client's and the site's."""
    if folder := os.environ.get(RELEASED):
        return [next(Path(folder).glob(f"{name}-*.whl")) for name in ("assetsite_client", "assetsite")]
    return build(tmp_path_factory.mktemp("wheels"))
