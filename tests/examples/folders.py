"""The flows of the example projects."""

from tests.places import EXAMPLES

FLOWS = sorted(path.relative_to(EXAMPLES) for path in EXAMPLES.glob("*/flows/*/flow.py"))
