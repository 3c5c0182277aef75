"""States have one home: nothing else lists them, and all that a state needs is there for each."""

import ast
import re
from pathlib import Path

import pytest

from catalog.states import ANY_STATE, State
from tests.places import CHECKOUT, STATIC, TEMPLATES, modules_in

HOME = "catalog/states.py"
OTHER_WORDS = {
    "catalog/reconciling/run_facts.py",  # how a task ended, in the words of its record
    "lineage/instance_rows.py",  # the column of readings that failed
    "catalog/styleguide.py",  # examples and the names of icons
    "catalog/reconciling/task_status.py",  # how tasks end
    "catalog/pagekit/freshness.py",  # the names of icons
    "catalog/pages/attended.py",
    "catalog/pagekit/rulings.py",  # the names of icons
    "comparing/branch_words.py",
    "promoting/answers.py",
    "promoting/asked.py",
    "catalog/runs/facts.py",  # what Metaflow says of tasks
    "catalog/runs/results.py",
    "catalog/wire/statements.py",  # the name of a joined row
}


def spells_a_state(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text()))
    return any(isinstance(node, ast.Constant) and node.value in State.values for node in nodes)


def test_no_code_of_the_server_spells_a_state():
    rooms = ("access", "assetsite", "catalog", "comparing", "lineage", "promoting", "telling")
    code = {name: path for name, path in modules_in(*rooms).items() if "migrations" not in path.parts}
    assert {name for name, path in code.items() if spells_a_state(path)} == OTHER_WORDS | {HOME}


def test_no_template_compares_states():
    compared = re.compile(r"""state *[!=]= *["']""")
    assert [path for path in TEMPLATES.rglob("*.html") if compared.search(path.read_text())] == []


@pytest.mark.parametrize("state", State.values)
def test_a_state_has_a_look_and_an_explanation(state):
    assert f'id="{state}"' in (STATIC / "icons.svg").read_text()
    assert f".state-{state}" in (STATIC / "app.css").read_text()
    assert f"`{state}`" in (CHECKOUT / "docs/data-model.md").read_text()
    assert f"`{state}`" in (CHECKOUT / "docs/api.md").read_text()
    assert state != ANY_STATE


def test_the_openapi_document_lists_the_states_that_there_are(api):
    schemas = api.get("/v1/openapi.json").json()["components"]["schemas"]
    assert schemas["InstanceState"]["enum"] == State.values
