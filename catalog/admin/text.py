"""Values and times as people read them."""

import json
from datetime import datetime
from typing import Any

from django.utils.html import format_html

from catalog.shown.times import exact, machine, relative

SHOWN_LENGTH = 2_000
NOTHING = object()


def shown(value: Any, most: int = SHOWN_LENGTH) -> str:
    """A JSON value as people read it: text as it is, anything else as JSON; cut where it is too long for a page."""
    if value is NOTHING:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    more = len(text) - most
    return f"{text[:most]}… and {more:,} more characters" if more > 0 else text


def metric_line(metric: dict[str, Any]) -> str:
    """A declared metric with all that is said of it, by name: the order of databases differs."""
    said = [f"{key} = {shown(value)}" for key, value in sorted(metric.items()) if key != "name"]
    return f"{metric['name']}: {', '.join(said)}" if said else str(metric["name"])


def stored(value: Any) -> str:
    """A value of an event, where null means that there was none."""
    return shown(NOTHING if value is None else value)


def when(at: datetime | None) -> str:
    """A time as on the site's pages."""
    return format_html('<time datetime="{}" title="{}">{}</time>', machine(at), exact(at), relative(at)) if at else "-"
