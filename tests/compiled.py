"""Templates that a run of tests compiles once, for its own processes and for the sites that it serves.

Each served process would else compile all of them when it starts, which takes it more than a second.
"""

import os
from typing import Any

import jinja2

SHARED = "TESTS_COMPILED_TEMPLATES"
"""The variable that tells all processes of a run of tests the folder that they share."""


def keep(templates: list[dict[str, Any]]) -> None:
    """Have the first of these engines, Jinja2, look for what is compiled before it compiles."""
    templates[0]["OPTIONS"]["bytecode_cache"] = jinja2.FileSystemBytecodeCache(os.environ[SHARED])


def variables() -> dict[str, str]:
    """Those by which a served site does so, too."""
    return {"DJANGO_SETTINGS_MODULE": "tests.served_settings", SHARED: os.environ[SHARED]}
