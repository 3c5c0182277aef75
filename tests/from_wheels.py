"""A lane of the tests from the wheels, on a Python: `python -m tests.from_wheels PYTHON LANE [options of pytest]`.

They run in a folder that has of what git tracks only what is in no wheel, in an environment of that Python with both
wheels and what `requirements-dev.txt` pins.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.places import CHECKOUT, FLOW_SIDE
from tests.wheels.building import build, tracked

UV = Path(sys.executable).with_name("uv")


def main(python: str, lane: str, *options: str) -> int:
    with tempfile.TemporaryDirectory(prefix="assetsite_from_wheels_") as folder:
        beside, installed = Path(folder) / "beside", Path(folder) / "installed"
        copy_what_is_in_no_wheel(beside)
        mine = install(build(Path(folder)), python, installed)
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run([mine, "-m", "tests.run", lane, *options], cwd=beside, env=env, check=False).returncode


def copy_what_is_in_no_wheel(to: Path) -> None:
    in_wheels = packages()
    for name in tracked():
        if name.partition("/")[0] not in in_wheels:
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, to / name)


def packages() -> set[str]:
    """The folders of the checkout that are in the wheels."""
    hatch = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["hatch"]
    return {*hatch["build"]["targets"]["wheel"]["only-include"], *FLOW_SIDE}


def install(wheels: list[Path], python: str, into: Path) -> Path:
    """Make an environment of this Python with the wheels and what the tests need; its Python."""
    mine = into / "bin/python"
    subprocess.run([UV, "venv", "--quiet", "--python", python, into], check=True)
    pins = ["--requirements", CHECKOUT / "requirements-dev.txt"]
    subprocess.run([UV, "pip", "install", "--quiet", "--python", mine, *pins, *wheels], check=True)
    subprocess.run([mine, "-VV"], check=True)
    return mine


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
