"""docs/troubleshooting.md has every message of the flow side and of cards, and none that nobody says any more."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from obproject import errors
from tests.places import CHECKOUT, FLOW_SIDE, modules_in, place

PAGE = (CHECKOUT / "docs/troubleshooting.md").read_text()
CLASSES = [
    name for name, found in vars(errors).items() if isinstance(found, type) and found.__module__ == "obproject.errors"
]
RAISED = {
    *CLASSES,
    "EventNotPublished",
    "FlowCodeError",
    "ProjectFileError",
    "ProjectScheduleException",
    "ProjectTriggerException",
}
RAISED |= {"CommandError", "refusal", "Unavailable", "UnavailableError"}
FLOOR = {"branches.py", "references.py", "roles.py"}
SAYING = {"print", "_tell", "warn"}


CARDS = "catalog/runs"
SITE = ("access", "assetsite", "catalog", "promoting", "telling")
"""Their refusals reach users too; those that say by themselves what to do need no row."""


def text_of(node: ast.AST) -> str:
    """A text as the code writes it, with … for what varies."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(value.value if isinstance(value, ast.Constant) else "…" for value in values)
        case ast.BinOp(left=left, right=right):
            return text_of(left) + text_of(right)
        case _:
            return "…"


def messages() -> Iterator[tuple[str, str]]:
    """The messages that users see, with where they are written."""
    for name_of_file, path in modules_in(*FLOW_SIDE, CARDS).items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args:
                name = ast.unparse(node.func).rpartition(".")[2]
                text = text_of(node.args[-1])
                told = name in SAYING and (name != "print" or text.startswith("assetsite: "))
                if (name in RAISED or told or (name == "ValueError" and path.name in FLOOR)) and _says_something(text):
                    yield f"{name_of_file}:{node.lineno}", text


def _says_something(text: str) -> bool:
    return len(re.sub(r"assetsite: |\W", "", text)) > 8


def phrases() -> list[str]:
    """The words that the page's tables give in their first column, to search for."""
    cells = [line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line]
    found = [phrase for cell in cells for phrase in re.findall(r"`([^`]+)`", cell)]
    return [re.sub(r"status \d+", "status …", phrase) for phrase in found if phrase not in RAISED]


def fixed(phrase: str) -> str:
    """The part of a phrase that the code has too."""
    return phrase.rstrip("…").rstrip().removeprefix("assetsite: ")


PHRASES = phrases()


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_class_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_message_is_on_the_page() -> None:
    found = list(messages())
    assert len(found) > 80
    missing = [f"{where}: {text}" for where, text in found if not any(fixed(phrase) in text for phrase in PHRASES)]
    assert not missing, "docs/troubleshooting.md does not explain:\n" + "\n".join(missing)


def test_what_the_page_explains_is_said_somewhere() -> None:
    trees = [ast.parse(path.read_text()) for path in modules_in(*FLOW_SIDE, *SITE).values()]
    code = "\n".join(text_of(node) for tree in trees for node in ast.walk(tree))
    code += "".join(place(script).read_text() for script in ("static/card.js", "catalog/runs/guard.js"))
    assert [phrase for phrase in PHRASES if fixed(phrase) not in code] == []
