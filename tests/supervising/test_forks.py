"""Processes are forked off, but for where that has never been safe."""

import subprocess
import sys

import pytest

from tests.places import CHECKOUT

CODE = """
import assetsite, multiprocessing, sys
multiprocessing.set_start_method(sys.argv[1])
from catalog.supervising.forks import fork_off
fork_off()
print(multiprocessing.get_start_method())
"""


@pytest.mark.parametrize(("by_itself", "then"), [("forkserver", "fork"), ("fork", "fork"), ("spawn", "spawn")])
def test_the_fork_server_of_python_3_14_is_not_used(by_itself: str, then: str) -> None:
    done = subprocess.run([sys.executable, "-c", CODE, by_itself], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert done.stdout.strip() == then
