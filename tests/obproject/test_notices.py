"""The one way in which the flow side tells its user something in passing."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from obproject.notices import tell
from tests.places import FLOW_SIDE, modules_in


def test_a_notice_is_a_line_of_standard_output_with_the_name_of_the_product(capsys: pytest.CaptureFixture[str]) -> None:
    tell("two words")
    tell("on the other stream", sys.stderr)
    assert capsys.readouterr() == ("assetsite: two words\n", "assetsite: on the other stream\n")


def test_nothing_else_prints_such_lines() -> None:
    modules = modules_in(*FLOW_SIDE).values()
    printing = {path.name for path in modules for call in _prints(path) if "assetsite: " in ast.unparse(call)}
    assert printing == {"notices.py"}


def _prints(path: Path) -> list[ast.Call]:
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
