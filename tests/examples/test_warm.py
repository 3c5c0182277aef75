"""A process that is forked from a warm Python is as one that was started, for whoever calls it and for what it runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.warm import warm_python
from tests.places import ROOMS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="an ordinary Python is used here"),
]

FACTS = """
import json, os, sys
print(json.dumps({
    "argv": sys.argv, "path": sys.path[:2], "folder": os.getcwd(), "main": sys.modules["__main__"].__file__,
    "name": __name__, "executable": sys.executable, "x": os.environ.get("X"), "forked": "metaflow" in sys.modules,
}))
"""


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("METAFLOW_")} | {"METAFLOW_HOME": "/nowhere"}


@pytest.fixture(scope="module")
def warm(environment: dict[str, str]) -> Iterator[str]:
    with warm_python(environment) as python:
        yield python


@pytest.fixture
def run(warm: str, environment: dict[str, str], tmp_path: Path):
    def run_code(code: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "code.py").write_text(code)
        command = [warm, "-u", "code.py", *arguments]
        env = environment | more
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)

    return run_code


def test_it_runs_the_file_as_the_main_program(run, warm: str, tmp_path: Path) -> None:
    facts = json_of(run(FACTS, "a b", "ü", X="1", PYTHONPATH="/further"))
    assert facts == {
        "argv": ["code.py", "a b", "ü"],
        "path": [str(tmp_path), "/further"],
        "folder": str(tmp_path),
        "main": "code.py",
        "name": "__main__",
        "executable": warm,
        "x": "1",
        "forked": True,
    }


@pytest.mark.parametrize("more", [{"METAFLOW_USER": "ada"}, {"METAFLOW_DEFAULT_DATASTORE": "s3"}])
def test_what_metaflow_reads_when_it_is_imported_is_never_another_ones(run, more: dict[str, str]) -> None:
    assert json_of(run(FACTS, **more))["forked"] is False


def test_nor_is_its_configuration(run, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert json_of(run(FACTS, METAFLOW_HOME=str(tmp_path)))["forked"] is False


def test_nor_are_its_extensions(run, environment: dict[str, str], tmp_path: Path) -> None:
    assert json_of(run(FACTS, PYTHONPATH=str(tmp_path)))["forked"] is True
    (tmp_path / "metaflow_extensions").mkdir()
    assert json_of(run(FACTS))["forked"] is False


def test_what_is_no_file_is_run_by_an_ordinary_python(warm: str, environment: dict[str, str]) -> None:
    command = [warm, "-c", "import sys; print(sys.executable, 'metaflow' in sys.modules)"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [sys.executable, "False"]


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit('a sentence')", 1, "a sentence\n"),
        ("raise ValueError('wrong')", 1, "ValueError: wrong\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
    ],
)
def test_it_ends_as_the_program_does(run, code: str, status: int, said: str) -> None:
    done = run(code)
    assert done.returncode == status
    assert done.stderr.endswith(said)


def test_it_hears_and_says_at_once(warm: str, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("import sys\nfor line in sys.stdin: print('heard', line.strip())\n")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([warm, tmp_path / "code.py"], env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        for word in ("one", "two"):
            process.stdin.write(f"{word}\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"heard {word}\n"
        process.stdin.close()
    assert process.returncode == 0


def test_each_has_random_numbers_of_its_own(run) -> None:
    code = "import random, uuid; print(random.random(), uuid.uuid4())"
    assert not set(run(code).stdout.split()) & set(run(code).stdout.split())


def test_it_is_told_to_end_when_its_program_is_killed(warm: str, environment: dict[str, str], tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n")
    with subprocess.Popen([warm, code], env=environment, stdout=subprocess.PIPE, text=True) as process:
        forked = int(process.stdout.readline())  # type: ignore[union-attr]
        process.kill()
    assert_ends(forked)


def test_the_warm_process_ends_with_who_has_started_it(environment: dict[str, str]) -> None:
    code = """
import os, subprocess
from examples.warm import warm_python
from tests.places import ROOMS
with warm_python(os.environ) as python:
    subprocess.run(["pgrep", "-P", str(os.getpid())])
    os.kill(os.getpid(), 9)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOMS, env=environment, capture_output=True, text=True, check=False)
    for child in done.stdout.split():
        assert_ends(int(child))


def test_a_ctrl_c_ends_what_runs_and_the_warm_process_says_nothing_of_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "flow.py").write_text("import time\nprint('runs', flush=True)\ntime.sleep(60)\n")
    code = """
import os, signal, subprocess, sys, time
from examples.warm import warm_python
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests themselves run in the background
try:
    with warm_python(os.environ) as python:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        flow = subprocess.Popen([python, sys.argv[1]], **pipes)
        flow.stdout.readline()
        os.killpg(0, signal.SIGINT)  # as a terminal does
        time.sleep(60)
except KeyboardInterrupt:
    print(flow.wait(timeout=30))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "flow.py")]
    done = subprocess.run(
        command, cwd=ROOMS, env=environment, capture_output=True, text=True, timeout=90, check=False, process_group=0
    )
    assert (done.stdout.strip(), done.stderr) == (str(-signal.SIGINT), "")


def json_of(done: subprocess.CompletedProcess[str]) -> Any:
    assert not done.stderr
    return json.loads(done.stdout)


def assert_ends(process: int) -> None:
    for _ in range(200):
        if not Path(f"/proc/{process}").exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"process {process} lives on")
