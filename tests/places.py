"""Where the tests find what they read and run, in a checkout or beside the wheels."""

import sys
from pathlib import Path

import assetsite

CHECKOUT = Path(__file__).resolve().parent.parent
"""The folder of `tests`, `docs` and what else is in no wheel."""
ROOMS = assetsite.ROOMS
"""The folder of the rooms of the site: the checkout, or below the package `assetsite`."""
TEMPLATES, STATIC, EXAMPLES = ROOMS / "templates", ROOMS / "static", ROOMS / "examples"
FLOW_SIDE = ("obproject", "metaflow_extensions")
ASSETSITE = (sys.executable, "-m", "assetsite")
"""The command line of this Python's site."""
MANAGE = (*ASSETSITE, "manage")


def place(name: str) -> Path:
    """Where a file or folder of the code is that a checkout has as `name`, such as `catalog/models`."""
    has_rooms = name.partition("/")[0] not in ("assetsite", *FLOW_SIDE)
    return (ROOMS if has_rooms else Path(assetsite.__file__).resolve().parents[1]) / name


def modules_in(*folders: str) -> dict[str, Path]:
    """All modules in these folders of the code, in an order, by what a checkout has them as."""
    found = {}
    for folder in folders:
        inside = sorted(path.relative_to(place(folder)) for path in place(folder).rglob("*.py"))
        mine = (path for path in inside if not (folder == "assetsite" and path.parts[0] == "rooms"))
        found |= {f"{folder}/{path}": place(folder) / path for path in mine}
    return found
