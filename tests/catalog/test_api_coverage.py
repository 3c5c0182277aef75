"""Every value that the OpenAPI document allows, and its neighbours that it does not: schemathesis' coverage phase."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

COVERAGE = ("--phases", "coverage", "--checks", "not_a_server_error", "--continue-on-failure", "--no-color")


def test_nothing_that_the_document_describes_is_a_server_error(served):
    schemathesis = Path(sys.executable).with_name("schemathesis")
    command = [schemathesis, "run", f"{served.url}/v1/openapi.json", *COVERAGE]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
