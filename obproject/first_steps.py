"""The first steps of a project: what is written where, as the site's pages and ``obproject doctor`` say it alike.

Standard library only.
"""

from __future__ import annotations

import re
import unicodedata

from obproject.branches import MAX_NAME_LENGTH, reference_key

CLIENT = "assetsite-client"
"""The distribution that flows need."""
INSTALL_CLIENT = f"pip install {CLIENT}"
SERVE = "assetsite serve"
DEMO = "ASSETSITE_HOME=~/assetsite-demo PORT=8080 assetsite demo"
"""With a folder and a port of its own: it fills no catalogue that somebody has, and can run beside its server."""
DOCTOR, RUN_FLOW = "obproject doctor", "python flow.py run"

USUAL_ADDRESS = "http://127.0.0.1:8000"
"""Where a site is that was started without further words."""
USUAL_PERIMETER = "default"
EXAMPLE_PROJECT = "my_project"

PROJECT_NAME = re.compile(r"[a-z0-9_]{1,128}")
PROJECT_NAME_RULE = "at most 128 characters of a-z, 0-9 and '_'"

BASE_CLASS = "from obproject import ProjectFlow\n\n\nclass {flow}(ProjectFlow):"
REGISTERING = 'self.prj.register_data("points", "points")'
READING = 'points = self.prj.get_data("points")'
FIRST_FLOW = """from metaflow import step
from obproject import ProjectFlow


class TrainFlow(ProjectFlow):
    @step
    def start(self):
        self.points = [(1, 2.1), (2, 3.9), (3, 6.2)]
        self.prj.register_data("points", "points", annotations={"rows": len(self.points)})
        self.next(self.train)

    @step
    def train(self):
        points = self.prj.get_data("points")
        self.slope = sum(y for _, y in points) / sum(x for x, _ in points)
        self.next(self.end)

    @step
    def end(self):
        print(self.slope)


if __name__ == "__main__":
    TrainFlow()
"""


def is_project_name(text: str) -> bool:
    """Say whether a project file may give a project this name."""
    return PROJECT_NAME.fullmatch(text) is not None


def suggested_project(text: str) -> str:
    """Return the name that a project file may give to what is called so elsewhere, such as its folder."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return reference_key(plain)[:MAX_NAME_LENGTH].strip("_") or EXAMPLE_PROJECT


def project_lines(project: str, perimeter: str = USUAL_PERIMETER) -> str:
    """Return what the project file has to say; the perimeter only where it is not the usual one."""
    lines = [f'project = "{project}"', *([f'perimeter = "{perimeter}"'] if perimeter != USUAL_PERIMETER else [])]
    return "\n".join(lines)


def settings_lines(url: str, *, with_token: bool = False) -> str:
    """Return what a shell has to be told, so that flows find the site."""
    return f"export ASSETSITE_URL={url}" + ("\nexport ASSETSITE_TOKEN=…" if with_token else "")
