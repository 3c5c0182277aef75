"""Where the example projects are."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLES = CHECKOUT / "examples"
FLOWS = sorted(path.relative_to(EXAMPLES) for path in EXAMPLES.glob("*/flows/*/flow.py"))
