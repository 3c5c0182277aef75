"""A lane of the tests from the wheels, on a Python: `python -m tests.from_wheels PYTHON LANE [options of pytest]`.

They run in a folder that has of the checkout only what is in no wheel, in an environment of that Python with both
wheels and what `requirements-dev.txt` pins. What is needed for it is uv and git.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.places import CHECKOUT, FLOW_SIDE

UV = Path(sys.executable).with_name("uv")


def main(python: str, lane: str, *options: str) -> int:
    with tempfile.TemporaryDirectory(prefix="assetsite_from_wheels_") as folder:
        beside = Path(folder) / "checkout"
        copy_what_is_in_no_wheel(beside)
        mine = install_wheels(python, Path(folder))
        env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return subprocess.run([mine, "-m", "tests.run", lane, *options], cwd=beside, env=env, check=False).returncode


def install_wheels(python: str, folder: Path) -> Path:
    """Build both wheels and install them, with what the tests need, in a new environment; its Python."""
    for project in (CHECKOUT, CHECKOUT / "client"):
        uv("build", "--wheel", "--out-dir", str(folder / "dist"), str(project))
    uv("venv", "--python", python, str(folder / "venv"))
    mine = folder / "venv/bin/python"
    wheels = map(str, sorted((folder / "dist").glob("*.whl")))
    uv("pip", "install", "--python", str(mine), "--requirements", str(CHECKOUT / "requirements-dev.txt"), *wheels)
    subprocess.run([mine, "-VV"], check=True)
    return mine


def copy_what_is_in_no_wheel(to: Path) -> None:
    """Copy the files that git knows or would ask about, but for the packages."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if name.partition("/")[0] not in packages() and (CHECKOUT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, to / name)


def packages() -> set[str]:
    """The folders of the checkout that are in the wheels."""
    hatch = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["hatch"]
    return {*hatch["build"]["targets"]["wheel"]["only-include"], *FLOW_SIDE}


def uv(*arguments: str) -> None:
    subprocess.run([UV, *arguments, "--quiet"], check=True)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
