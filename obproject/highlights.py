"""``@highlight``: a step shows in a small card what its run came to.

The step says it through ``self.highlight``, a :class:`Highlight`; when the step is done, it becomes the artifact
``highlight_data``, of which the card of type ``highlight`` is made, and the catalogue shows it on the overview of the
branch that the flow writes to.
"""

from __future__ import annotations

import base64
import math
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from metaflow import StepMutator, UserStepDecorator

from obproject import lengths
from obproject.errors import InvalidInput
from obproject.task import spinning

CHART_POINTS = lengths.HIGHLIGHT_POINTS
"""A chart with more points keeps as many of them, evenly spaced."""
CHART_DIGITS = 6
CHART_KINDS = ("line", "bar")

_IMAGE_TYPES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"<svg", "image/svg+xml"),
)


class highlight(StepMutator):
    """Gives a step ``self.highlight`` and a card that shows what is put into it; stands above ``@step``."""

    def mutate(self, mutable_step: Any) -> None:
        """Add the card, and the decorator that fills it."""
        mutable_step.add_decorator("assetsite_highlight")
        mutable_step.add_decorator(HighlightOfSpin)
        mutable_step.add_decorator("card", deco_kwargs={"type": "highlight"})


class HighlightOfSpin(UserStepDecorator):
    """Gives a step that is only tried out a ``self.highlight`` of which nothing is kept.

    Of :class:`highlight`, Metaflow's ``spin`` leaves out all but this and the card.
    """

    def pre_step(self, step_name: str, flow: Any, inputs: Any = None) -> None:
        """Give the step its highlight; any other step has it from the decorator."""
        if spinning.holds_back():
            flow.highlight = Highlight()

    def post_step(self, step_name: str, flow: Any, exception: Exception | None = None) -> Exception | None:
        """Take it away, so that it is no artifact; the exception stays what it is."""
        vars(flow).pop("highlight", None)
        return exception


class Highlight:
    """What a step wants to be seen: a title, labels, lines, and one of an image, a chart and columns of figures.

    All text is shown as it is, but for ``**bold**`` in lines. An image goes before a chart, and a chart before columns.
    """

    def __init__(self) -> None:
        self.title = ""
        self._labels: list[str] = []
        self._lines: list[str] = []
        self._columns: list[dict[str, str]] = []
        self._chart: dict[str, Any] | None = None
        self._image: dict[str, str] | None = None

    def set_title(self, title: Any) -> None:
        """Set the headline."""
        self.title = title

    def add_label(self, label: Any) -> None:
        """Add a word on a coloured ground; ``important``, ``error`` and ``new`` have colours of their own."""
        self._labels.append(_text(label))

    def add_line(self, line: Any, caption: Any = "") -> None:
        """Add a line of text, after a caption in bold."""
        self._lines.append(f"**{caption}** {_text(line)}" if _text(caption) else _text(line))

    def add_column(self, big: Any = "", small: Any = "") -> None:
        """Add a figure in large type with a few words below it."""
        self._columns.append({"big": _text(big), "small": _text(small)})

    def set_image(self, image: bytes, alt: str = "") -> None:
        """Show an image, given as the bytes of a PNG, JPEG, GIF or SVG file; ``alt`` says what is in it."""
        if not isinstance(image, bytes | bytearray | memoryview):
            raise InvalidInput(f"set_image needs the bytes of an image file, not {type(image).__name__}.")
        content = bytes(image)
        encoded = base64.b64encode(content).decode("ascii")
        self._image = {"src": f"data:{_image_type(content)};base64,{encoded}", "alt": _text(alt)}

    def set_chart(
        self,
        values: Iterable[Any] | Mapping[str, Iterable[Any]],
        x: Iterable[Any] | None = None,
        kind: str = "line",
        caption: str = "",
    ) -> None:
        """Show numbers as lines or bars: one sequence, or several by name.

        ``x`` says what each value belongs to, such as a date; ``kind`` is ``line`` or ``bar``. None and NaN are gaps.
        Of more than 120 points it keeps as many, evenly spaced. Raises InvalidInput for values that are no numbers.
        """
        if kind not in CHART_KINDS:
            raise InvalidInput(f"{kind!r} is no kind of chart; {' and '.join(CHART_KINDS)} are.")
        named = values.items() if isinstance(values, Mapping) else [("", values)]
        series = {_text(name): [_number(value) for value in numbers] for name, numbers in named}
        length = max(map(len, series.values()), default=0)
        if not length:
            raise InvalidInput("A chart needs at least one value.")
        labels = [_text(label) for label in x] if x is not None else [str(number) for number in range(1, length + 1)]
        kept = _evenly_spaced(length, CHART_POINTS)
        self._chart = {
            "kind": kind,
            "caption": _text(caption),
            "x": _picked(labels, kept, ""),
            "series": [{"name": name, "values": _picked(numbers, kept, None)} for name, numbers in series.items()],
        }

    def as_data(self) -> dict[str, Any] | None:
        """Return it all as plain data; None if there is nothing to see."""
        shown, body = self._body()
        if not (_text(self.title) or self._labels or self._lines or body):
            return None
        return {
            "type": "highlight",
            "id": f"highlight-{uuid.uuid4()}",
            "title": _text(self.title),
            "labels": self._labels,
            "synopsis": self._lines,
            "highlight_type": shown,
            "highlight_body": body,
        }

    def _body(self) -> tuple[str, Any]:
        if self._image:
            return "image", self._image
        if self._chart:
            return "chart", self._chart
        return "columns", self._columns


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _image_type(content: bytes) -> str:
    start = content[:512].lstrip()
    known = (name for mark, name in _IMAGE_TYPES if start.startswith(mark))
    declared = "image/svg+xml" if start.startswith(b"<?xml") and b"<svg" in start else "application/octet-stream"
    return next(known, declared)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidInput(f"{value!r} is no number, so it can't be in a chart.") from None
    return float(f"{number:.{CHART_DIGITS}g}") if math.isfinite(number) else None


def _evenly_spaced(length: int, limit: int) -> list[int]:
    """Return at most ``limit`` positions of a sequence, its first and last among them."""
    if length <= limit:
        return list(range(length))
    return [round(step * (length - 1) / (limit - 1)) for step in range(limit)]


def _picked(values: list[Any], positions: list[int], missing: Any) -> list[Any]:
    return [values[position] if position < len(values) else missing for position in positions]
