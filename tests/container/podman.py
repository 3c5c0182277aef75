"""Debian's podman with a store of its own, which is gone afterwards, and a base image made of Debian's packages.

No registry of images is asked. The containers share the network of this machine.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BASE = "localhost/debian13"
"""Of the release and with the Python that the base named in the Containerfile has."""

BASE_HAS = "python3,python3-venv,ca-certificates"
LIMITS = {"nofile": 4096, "nproc": 4096}
AS_PRODUCTION_RUNS_IT = ("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges")


@dataclass
class Podman:
    """Runs commands of podman; what they print, or what they say when they fail."""

    folder: Path

    def __call__(self, *words: str | Path, code: int = 0) -> str:
        done = self._done(words)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return (done.stdout + done.stderr).strip()

    def code(self, *words: str | Path) -> int:
        return self._done(words).returncode

    def make_base(self) -> None:
        make = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={BASE_HAS}", "trixie", "-"]
        with subprocess.Popen(make, stdout=subprocess.PIPE) as made:
            subprocess.run([*self._program(), "import", "--quiet", "-", BASE], stdin=made.stdout, check=True)
        assert made.returncode == 0

    def run(self, image: str, *command: str, options: tuple[str | Path, ...] = (), code: int = 0, **env: str) -> str:
        """A container of the image, as it should be run: what it prints, or with --detach its id."""
        # podman's own limits are more than root may have on some machines
        limits = [f"--ulimit={name}={most}:{most}" for name, most in LIMITS.items()]
        # a health check is run by systemd, which a machine for tests need not have
        here = ["--network", "host", "--no-healthcheck", *limits, *AS_PRODUCTION_RUNS_IT]
        variables = [f"--env={name}={value}" for name, value in env.items()]
        return self("run", *here, *variables, *options, image, *command, code=code)

    def _done(self, words: tuple[str | Path, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._program(), *words], capture_output=True, text=True, timeout=600, check=False)

    def _program(self) -> list[str | Path]:
        # runc, as Debian's crun knows no mixed cgroups
        where = ["--root", self.folder / "store", "--runroot", self.folder / "run"]
        return ["podman", *where, "--runtime", "runc", "--cgroup-manager", "cgroupfs", "--log-level", "error"]


@contextmanager
def podman() -> Iterator[Podman]:
    folder = Path(tempfile.mkdtemp(prefix="podman-"))  # podman takes no long names
    found = Podman(folder)
    try:
        yield found
    finally:
        found("rm", "--all", "--force", "--time", "0", "--volumes")
        subprocess.run(["umount", folder / "store/overlay"], capture_output=True, check=False)
        shutil.rmtree(folder)
