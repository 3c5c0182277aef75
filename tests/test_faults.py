"""docs/faults.md names for each fault the tests that hold it, and they are there; or it says why it does not apply."""

from __future__ import annotations

import inspect
import re
from fnmatch import fnmatchcase
from typing import NamedTuple

import pytest

from obproject.assets import Asset
from obproject.evals import EvalsLogger
from obproject.events import ProjectEvent
from obproject.prj import ProjectContext
from obproject.promotion import promote_assets
from tests.places import CHECKOUT

FAULTS = 56
NO_FAULT_HERE = "Does not apply: "


class Row(NamedTuple):
    number: int
    what_it_was: str
    how_it_is: str
    tests: list[str]


def rows() -> list[Row]:
    lines = [line for line in (CHECKOUT / "docs/faults.md").read_text().splitlines() if re.match(r"\| \d", line)]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [Row(int(number), was, is_now, re.findall(r"`(\w+\*?)`", tests)) for number, was, is_now, tests in cells]


def fault_tests() -> dict[str, set[int]]:
    """The tests that carry numbers of faults in their names, with the numbers."""
    found: dict[str, set[int]] = {}
    for path in (CHECKOUT / "tests").rglob("test_*.py"):
        for name in re.findall(r"^\s*def (test_\w*fault_\d\w*)", path.read_text(), re.MULTILINE):
            numbers = re.search(r"fault_(\d+(?:_and_\d+|_\d+)*)", name)
            assert numbers
            found[name] = {int(number) for number in re.findall(r"\d+", numbers[1])}
    return found


ROWS = rows()
TESTS = fault_tests()


def test_every_fault_has_one_line() -> None:
    assert [row.number for row in ROWS] == list(range(1, FAULTS + 1))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"fault-{row.number}")
def test_a_fault_is_held_by_the_tests_that_its_line_names_or_does_not_apply(row: Row) -> None:
    if row.how_it_is.startswith(NO_FAULT_HERE):
        assert not row.tests
        return
    assert row.tests, "its line names no test"
    of_this_fault = [name for name, numbers in TESTS.items() if row.number in numbers]
    for pattern in row.tests:
        assert any(fnmatchcase(name, pattern) for name in of_this_fault), f"{pattern} is no test of fault {row.number}"


def test_no_test_has_the_number_of_a_fault_that_is_not_there() -> None:
    for name, numbers in TESTS.items():
        assert numbers <= set(range(1, FAULTS + 1)), name


# The docs' calls

HOLDERS = {"prj": ProjectContext, "prj.asset": Asset, "prj.evals": EvalsLogger, "Asset": Asset, "": Asset}
FREE = {"promote_assets": promote_assets, "Asset": Asset, "ProjectEvent": ProjectEvent, "EvalsLogger": EvalsLogger}


def documented_calls() -> list[tuple[str, str, str]]:
    """The calls in running text, as (holder, name, arguments): `prj.get_data(name, instance="latest")`."""
    found: set[tuple[str, str, str]] = set()
    for path in (CHECKOUT / "docs").glob("*.md"):
        text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        for code in re.findall(r"`([^`\n]+)`", text):
            for holder, name, arguments in re.findall(r"(?<![\w.])((?:\w+\.)*)(\w+)\(([^()]*)\)", code):
                found.add((holder.rstrip("."), name, arguments))
    return sorted(found)


def signature_of(holder: str, name: str) -> inspect.Signature | None:
    """The signature of a call that this package offers; None for a call of something else."""
    if not holder and name in FREE:
        return inspect.signature(FREE[name])
    owner = HOLDERS.get(holder)
    if owner is None or (not holder and not hasattr(owner, name)):
        return None
    assert callable(getattr(owner, name, None)), f"{holder}.{name} is in the docs, but not there"
    return inspect.signature(getattr(owner, name))


def test_fault_56_the_calls_in_the_docs_are_those_of_the_code() -> None:
    checked = 0
    for holder, name, arguments in documented_calls():
        signature = signature_of(holder, name)
        if signature is None:
            continue
        checked += 1
        for argument in re.findall(r"(?:^|,)\s*([a-z_]+)\s*(?:=|,|$)", arguments.replace("…", "")):
            known = argument in signature.parameters
            assert known, f"{holder}.{name}({arguments}): it has no {argument}, but {list(signature.parameters)}"
    assert checked > 25, checked
