"""The names and keys of everything in the project; all are computed."""

from hashlib import blake2b
from typing import NamedTuple

from bench.large import shape
from bench.large.shape import ASSETS, COMPONENTS, FLOWS


class Branch(NamedTuple):
    key: str
    name: str


PERIMETER, PROJECT = "default", "plant"
JOURNAL_PROJECT, JOURNAL = "archive", ("data", "journal")
MAIN, FEATURE = Branch("main", "main"), Branch("feature_better_models", "feature/better-models")
UNKNOWN = Branch("", "")


def asset_pk(module: int, place: int) -> int:
    return module * ASSETS + place + 1


def component_pk(module: int, number: int) -> int:
    return module * COMPONENTS + number + 1


def asset_named(module: int, place: int) -> tuple[str, str]:
    """Kind and id; what is promoted to `main` is called as where it comes from."""
    source = shape.source_of(place)
    kind, word = ("models", "model") if shape.is_model(place) else ("data", "table")
    return kind, f"{word}_{module:02}_{source:02}"


def branch_of(place: int) -> Branch:
    return FEATURE if shape.is_on_feature(place) else MAIN


def written_by(flow: int) -> Branch:
    """The branch that a flow writes to."""
    return FEATURE if flow in shape.FEATURE_FLOWS else MAIN


def flow(module: int, number: int) -> str:
    return f"Plant{module:02}Step{number:02}Flow"


def run(module: int, number: int, night: int) -> str:
    return f"{flow(module, number)}/{night + 1}"


def run_pk(module: int, number: int, night: int, modules: int) -> int:
    return (night * modules + module) * FLOWS + number + 1


def deployment(module: int) -> str:
    return f"plant-{module:02}-monitor"


def person(module: int) -> str:
    return f"analyst{module:02}"


def instance_uid(pk: int) -> str:
    return f"i_{_digest(pk)}"


def definition_uid(pk: int) -> str:
    return f"d_{_digest(pk)}"


def _digest(number: int) -> str:
    return blake2b(str(number).encode(), digest_size=10).hexdigest()
