"""`make release`: builds the wheels into `dist`, checks them, and says how they are uploaded.

Nothing is uploaded. What is not committed is in no release, so the tree has to be clean.
"""

import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from tests.places import CHECKOUT
from tests.wheels.building import build, git, version
from tests.wheels.conftest import RELEASED

DIST = CHECKOUT / "dist"
TESTS = Path(__file__).parent


def main() -> int:
    if reason := why_not():
        print(reason, file=sys.stderr)
        return 1
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    wheels = build(DIST)
    for command in (
        ("twine", "check", "--strict", *map(str, wheels)),
        ("pytest", "-q", "-m", "not long", str(TESTS)),
    ):
        env = os.environ | {RELEASED: str(DIST)}
        if code := subprocess.run([sys.executable, "-m", *command], cwd=CHECKOUT, env=env, check=False).returncode:
            return code
    print(f"\nRelease {version()}, of commit {git('rev-parse', 'HEAD').strip()}:")
    for wheel in wheels:
        print(f"  {wheel.name}  {wheel.stat().st_size:,} bytes  sha256 {sha256(wheel.read_bytes()).hexdigest()}")
    names = " ".join(str(wheel.relative_to(CHECKOUT)) for wheel in wheels)
    print(f"To upload them, the client first, as the site needs it:\n  .venv/bin/twine upload {names}")
    return 0


def why_not() -> str:
    """Why there can be no release now, in a sentence; empty if there can."""
    if changed := git("status", "--porcelain").splitlines():
        what = ", ".join(line[3:] for line in changed[:5]) + (" …" if changed[5:] else "")
        return f"No release of what is not committed: {what}. Commit it, remove it, or have git ignore it."
    heading = re.search(r"^## (\S+)", (CHECKOUT / "CHANGELOG.md").read_text(), re.MULTILINE)
    if heading is None or heading[1] != version():
        found = heading[1] if heading else "no version"
        return (
            f"CHANGELOG.md begins with {found}, and pyproject.toml has the version {version()}. One of them is behind."
        )
    return ""


if __name__ == "__main__":
    sys.exit(main())
