"""Builds the wheels, of what git tracks alone and equal bit for bit wherever that is done; and installs them."""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.places import CHECKOUT

UV = Path(sys.executable).with_name("uv")
PROJECTS = ("client", ".")
"""In the order in which they are uploaded: the site needs the client."""


def version() -> str:
    """The version that pyproject.toml has."""
    found: str = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    return found


def build(into: Path, change: Callable[[Path], None] = lambda source: None) -> list[Path]:
    """Build the client's wheel and the site's. Before, `change` may change the files that they are built of."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        for name in tracked():
            _copy(CHECKOUT / name, source / name)
        change(source)
        return [_build(source / project, into) for project in PROJECTS]


def tracked() -> list[str]:
    """The files that git tracks, as far as they are there."""
    names = git("ls-files", "-z").split("\0")
    return [name for name in names if name and (CHECKOUT / name).is_file()]


def _copy(file: Path, to: Path) -> None:
    """What a link leads to, and the permissions that git keeps."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)
    to.chmod(0o755 if os.access(file, os.X_OK) else 0o644)


def _build(project: Path, into: Path) -> Path:
    before = set(into.glob("*.whl"))
    env = os.environ | {"SOURCE_DATE_EPOCH": git("log", "-1", "--format=%ct").strip()}
    options = ["--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(into)]
    subprocess.run([UV, "build", *options, str(project)], env=env, check=True)
    (wheel,) = set(into.glob("*.whl")) - before
    return wheel


def git(*command: str) -> str:
    return subprocess.run(["git", *command], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True).stdout


def environment(folder: Path, wheels: Iterable[Path]) -> Path:
    """A clean environment with these wheels and what they need; the folder of its programs."""
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    install(folder / "bin", wheels)
    return folder / "bin"


def install(programs: Path, wheels: Iterable[Path]) -> None:
    """Install wheels, in place of others of their name, and what they need in the versions that are pinned."""
    where = ["--quiet", "--python", str(programs / "python"), "--constraint", str(CHECKOUT / "requirements.txt")]
    subprocess.run([UV, "pip", "install", *where, *wheels], check=True)
