"""What ``asset_config.toml`` declares under ``[freshness]``: how often new versions of an asset are expected.

Only the shape is looked at. What a period, a cron expression or a time zone means, the catalogue knows: a deploy that
it can't read is refused as a whole. A key that is not known is a problem here too, as a misspelt ``grase`` would say
nothing.
"""

from __future__ import annotations

from obproject.json_types import Json
from obproject.project.checked_toml import Table

FRESHNESS_KEYS = ("every", "cron", "timezone", "grace", "except", "at", "off")
"""What may be declared of freshness."""


def read_freshness(asset: Table) -> Json | None:
    """Return what is under ``[freshness]``, as it is written; dates as strings.

    None if the file does not speak of it; empty for the bare header, which takes away what an earlier deploy declared.
    """
    if "freshness" not in asset:
        return None
    table = asset.table("freshness")
    table.refuse_others(FRESHNESS_KEYS)
    found: Json = {}
    for key in FRESHNESS_KEYS:
        if key not in table:
            continue
        if key == "except":
            found[key] = table.dates(key)
        elif key == "off":
            found[key] = table.flag(key, default=False)
        elif (text := table.text(key)) is not None:
            found[key] = text
    return found
