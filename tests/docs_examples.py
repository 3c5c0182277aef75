"""The examples of a page of docs/: read from its text, and run.

A ``python`` block runs by what it is:

- a class that inherits from ``ProjectFlow`` is a flow of its own;
- what uses ``self`` is the body of a step: all such blocks run in the order of the page, in the two tasks of one flow,
  those of the first ``##`` section with such blocks in the first, so that what they register is ready for the others;
- everything else is a script outside flows; all scripts of a page run in one process, after the page's flow.

Where ``# → x`` stands behind a line or below it, the value of that line has to be x. A block that fails leaves the
others alone.
"""

from __future__ import annotations

import ast
import json
import re
import traceback
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from tests.places import CHECKOUT

DOCS = CHECKOUT / "docs"
OK = "ok"
FLOW_OF_STEPS = """
from metaflow import step
from obproject import ProjectFlow, highlight
from tests.docs_examples import run_examples


class ExamplesFlow(ProjectFlow):
    @step
    def start(self):
        run_examples("first steps", self=self)
        self.next(self.end)

    @highlight
    @step
    def end(self):
        run_examples("steps", self=self)


if __name__ == "__main__":
    ExamplesFlow()
"""

_EXAMPLES_FILE = "examples.json"
_RESULTS_FILE = "results.jsonl"
_PARTS = re.compile(
    r"^(?P<depth>#{1,4}) (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
_SHOWN = re.compile(r"^([ \t]*)(\S.*?)(?:  |(\n)\1)# → (.+)$", re.MULTILINE)


class Place(Enum):
    """Where an example runs."""

    FLOW = auto()
    STEP = auto()
    SCRIPT = auto()


@dataclass(frozen=True)
class Example:
    """One ``python`` block of a page."""

    name: str
    """The page and the nearest heading, and a number behind the first block there."""
    section: str
    """The ``##`` heading above it."""
    code: str

    @property
    def flow_name(self) -> str | None:
        """The flow that it defines, if it does."""
        classes = [node for node in ast.parse(self.code).body if isinstance(node, ast.ClassDef)]
        return next((node.name for node in classes if "ProjectFlow" in map(ast.unparse, node.bases)), None)

    @property
    def place(self) -> Place:
        """Where it runs."""
        if self.flow_name:
            return Place.FLOW
        names = {node.id for node in ast.walk(ast.parse(self.code)) if isinstance(node, ast.Name)}
        return Place.STEP if "self" in names else Place.SCRIPT


def examples_of(page: str) -> list[Example]:
    """Return the examples of a page, in its order."""
    found: dict[str, Example] = {}
    section = heading = page
    for part in _PARTS.finditer((DOCS / page).read_text()):
        if part["heading"]:
            heading = part["heading"].replace("`", "")
            section = heading if part["depth"] in ("#", "##") else section
        elif part["language"] == "python":
            first = f"{page}: {heading}"
            name, number = first, 2
            while name in found:
                name, number = f"{first} {number}", number + 1
            found[name] = Example(name, section, part["code"])
    return list(found.values())


def keep_examples(examples: list[Example], folder: Path) -> None:
    """Write what :func:`run_examples` runs, in groups, to the folder that it runs in."""
    steps = [one for one in examples if one.place is Place.STEP]
    groups = {
        "first steps": [one for one in steps if one.section == steps[0].section],
        "steps": [one for one in steps if one.section != steps[0].section],
        "scripts": [one for one in examples if one.place is Place.SCRIPT],
    }
    content = {group: [(one.name, one.code) for one in members] for group, members in groups.items()}
    (folder / _EXAMPLES_FILE).write_text(json.dumps(content))


def run_examples(group: str, **names: Any) -> None:
    """Run one group of the examples in the present folder; they know these names."""
    for name, code in json.loads(Path(_EXAMPLES_FILE).read_text())[group]:
        with Path(_RESULTS_FILE).open("a") as results:
            results.write(json.dumps([name, _run(name, code, names)]) + "\n")


def results_in(folder: Path) -> dict[str, str]:
    """Return what became of the examples that ran in a folder: ``ok``, or the traceback."""
    path = folder / _RESULTS_FILE
    return dict(json.loads(line) for line in path.read_text().splitlines()) if path.exists() else {}


def _run(name: str, code: str, names: dict[str, Any]) -> str:
    checking = _SHOWN.sub(lambda line: f"{line[1]}_shows({line[2]}, {line[4]!r}){line[3] or ''}", code)
    try:
        exec(compile(checking, f"<{name}>", "exec"), {"__name__": "example", "_shows": _shows, **names})
    except BaseException:
        return f"{traceback.format_exc()}\n{code}"
    return OK


def _shows(value: Any, expected: str) -> None:
    assert repr(value) == expected, f"the page shows {expected}, it is {value!r}"


if __name__ == "__main__":
    run_examples("scripts")
