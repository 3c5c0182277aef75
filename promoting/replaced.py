"""What a version would replace: its metrics and inputs beside those of what is there now."""

from collections.abc import Sequence
from dataclasses import dataclass

from access.identity import Viewer
from catalog.addresses import compare_url
from catalog.models import Asset
from catalog.reading import Resolved
from catalog.states import DEFINITION
from comparing.sentences import Sentence
from comparing.suggestions import text_of
from comparing.table import MetricRow, Row
from comparing.versions import compare

MOST_METRICS = 12
MOST_ON_ONE_SIDE = 3
"""Of metrics that only one of them has measured."""
MOST_INPUTS = 8
INPUTS = "inputs"


@dataclass(frozen=True)
class Replaced:
    """The short of a comparison: `sentence` says which is better. `more`: how many metrics are not shown. `url` leads
    to the whole."""

    before: Sentence
    after: Sentence
    sentence: Sentence
    metrics: Sequence[MetricRow]
    inputs: Sequence[Row]
    more: int
    url: str


def replaced_by(viewer: Viewer, before: Resolved, after: Resolved, home: Asset) -> Replaced:
    """Both with their places loaded; `home` is the asset whose page it is."""
    found = compare(viewer, [before, after], 0, home)
    rows = [row for row in found.metrics.rows if row.headline or row.differs]
    both = [row for row in rows if all(side.value is not None for side in row.sides)]
    metrics = [*both, *[row for row in rows if row not in both][:MOST_ON_ONE_SIDE]]
    inputs = next(group for group in found.groups if group.key == INPUTS)
    every = len(found.metrics.rows) + found.metrics.left_out
    texts = [text_of(one.instance.ref, one.asset, home) if one.instance else one.uid for one in (before, after)]
    return Replaced(
        before=found.names[0],
        after=found.names[1],
        sentence=found.verdict.sentence,
        metrics=metrics[:MOST_METRICS],
        inputs=inputs.differing[:MOST_INPUTS],
        more=every - len(metrics[:MOST_METRICS]),
        url=compare_url(home, texts, texts[0]),
    )


def ref_of(version: Resolved) -> str:
    return version.instance.ref if version.instance else DEFINITION
