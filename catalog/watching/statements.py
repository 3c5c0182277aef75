"""What the background asks and writes of many assets at once, as SQL: see `access/statements.py`.

How much is read of an asset does not grow with its versions: of those that count the last ones among its last few
hundred, and some that are found by their time. `wanted` is JSON, for what is another thing for each asset.
"""

from access.statements import Statement
from catalog.alarming import ALARMING
from catalog.expected import MOST_LOOKED_THROUGH
from catalog.marks import MARKS
from catalog.models import Asset
from catalog.states import AttentionKind

IS_MADE_HERE = {
    "postgresql": """
        one.producer_kind = 'task' AND one.promoted_from_id IS NULL
        AND COALESCE(one.annotations ->> 'promoted_from_instance', '') = ''
    """,
    # text of older versions may be no JSON to SQLite
    "sqlite": """
        one.producer_kind = 'task' AND one.promoted_from_id IS NULL
        AND CASE WHEN instr(one.annotations, '"promoted_from_instance"') = 0 THEN ''
            WHEN json_valid(one.annotations) THEN COALESCE(one.annotations ->> 'promoted_from_instance', '')
            ELSE 'unknown' END = ''
    """,
}
"""A task made it, and it is no copy: as `catalog.expected.counts`."""

FLAGGED = """
    SELECT asset.id, asset.changed, asset.branch_id, project.timezone, CAST(asset.declared_freshness AS text),
        asset.normal_since, asset.newest_ready_id,
        asset.watch, asset.usual, asset.due_at, asset.late_at, asset.dormant_at, asset.late_told_at,
        CAST(cadence.told AS text), CAST(cadence.judged AS text)
    FROM catalog_asset AS asset
    JOIN catalog_branch AS branch ON branch.id = asset.branch_id
    JOIN catalog_project AS project ON project.id = branch.project_id
    LEFT JOIN catalog_cadence AS cadence ON cadence.asset_id = asset.id
    WHERE asset.deleted_at IS NULL AND asset.to_look_at
"""
flagged_after = Statement(f"{FLAGGED} AND asset.id > %(after)s ORDER BY asset.id LIMIT %(most)s", by_key=False)
"""The next live assets that are to be looked at, with what is kept of them."""

flagged_of = Statement(f"{FLAGGED} AND asset.id {{any assets}}")
"""Those of some assets."""

last_times = Statement(
    {
        "postgresql": f"""
            SELECT wanted.id, COALESCE(one.settled_at, one.created_at), one.created_at
            FROM unnest(%(assets)s::bigint[]) AS wanted (id)
            CROSS JOIN LATERAL (
                SELECT one.settled_at, one.created_at FROM (
                    SELECT * FROM catalog_instance WHERE asset_id = wanted.id AND state = 'ready'
                    ORDER BY created_at DESC, number DESC LIMIT {MOST_LOOKED_THROUGH}
                ) AS one WHERE {IS_MADE_HERE["postgresql"]} LIMIT %(most)s
            ) AS one
        """,  # noqa: S608 (names, and no values)
        "sqlite": f"""
            SELECT wanted.value, COALESCE(one.settled_at, one.created_at), +one.created_at
            FROM json_each(%(assets)s) AS wanted CROSS JOIN catalog_instance AS one
            WHERE one.id IN (
                SELECT one.id FROM (
                    SELECT * FROM catalog_instance WHERE asset_id = wanted.value AND state = 'ready'
                    ORDER BY created_at DESC, number DESC LIMIT {MOST_LOOKED_THROUGH}
                ) AS one WHERE {IS_MADE_HERE["sqlite"]} LIMIT %(most)s
            )
        """,  # noqa: S608 (names, and no values)
    }
)
"""When the last versions of some assets that count were settled and made."""

last_annotations = Statement(
    {
        "postgresql": f"""
            SELECT wanted.id, COALESCE(one.settled_at, one.created_at), one.annotations::text
            FROM unnest(%(assets)s::bigint[]) AS wanted (id)
            CROSS JOIN LATERAL (
                SELECT * FROM catalog_instance WHERE asset_id = wanted.id AND state = 'ready'
                ORDER BY created_at DESC, number DESC LIMIT %(most)s
            ) AS one WHERE {IS_MADE_HERE["postgresql"]}
        """,  # noqa: S608 (names, and no values)
        "sqlite": f"""
            SELECT wanted.value, COALESCE(one.settled_at, one.created_at), one.annotations
            FROM json_each(%(assets)s) AS wanted CROSS JOIN catalog_instance AS one
            WHERE one.id IN (
                SELECT id FROM catalog_instance WHERE asset_id = wanted.value AND state = 'ready'
                ORDER BY created_at DESC, number DESC LIMIT %(most)s
            ) AND {IS_MADE_HERE["sqlite"]}
        """,  # noqa: S608 (names, and no values)
    }
)
"""When those were settled of the last versions that count, and what they say of themselves."""

first_times = Statement(
    {
        "postgresql": f"""
            SELECT wanted.place, one.settled_at
            FROM json_to_recordset(%(wanted)s::json)
                AS wanted (place bigint, asset bigint, made timestamptz, settled timestamptz)
            CROSS JOIN LATERAL (
                SELECT COALESCE(one.settled_at, one.created_at) AS settled_at FROM (
                    SELECT * FROM catalog_instance
                    WHERE asset_id = wanted.asset AND state = 'ready' AND created_at > wanted.made
                    ORDER BY created_at, number LIMIT {MOST_LOOKED_THROUGH}
                ) AS one WHERE COALESCE(one.settled_at, one.created_at) > wanted.settled
                    AND {IS_MADE_HERE["postgresql"]} LIMIT %(most)s
            ) AS one
        """,  # noqa: S608 (names, and no values)
        "sqlite": f"""
            SELECT wanted.value ->> 'place', COALESCE(one.settled_at, one.created_at)
            FROM json_each(%(wanted)s) AS wanted CROSS JOIN catalog_instance AS one
            WHERE one.id IN (
                SELECT one.id FROM (
                    SELECT * FROM catalog_instance
                    WHERE asset_id = wanted.value ->> 'asset' AND state = 'ready'
                        AND created_at > wanted.value ->> 'made'
                    ORDER BY created_at, number LIMIT {MOST_LOOKED_THROUGH}
                ) AS one WHERE COALESCE(one.settled_at, one.created_at) > wanted.value ->> 'settled'
                    AND {IS_MADE_HERE["sqlite"]} LIMIT %(most)s
            )
        """,  # noqa: S608 (names, and no values)
    }
)
"""When the first versions that count were settled after a moment; each `wanted` has its place in the answer, an asset,
the moment, and an earlier one after which they were made."""

last_versions = Statement(
    {
        "postgresql": """
            SELECT wanted.id, one.number, one.id, one.uid, one.created_at, COALESCE(one.settled_at, one.created_at),
                one.annotations::text
            FROM unnest(%(assets)s::bigint[]) AS wanted (id)
            CROSS JOIN LATERAL (
                SELECT * FROM catalog_instance
                WHERE asset_id = wanted.id AND state = 'ready' AND deprecation_id IS NULL
                ORDER BY created_at DESC, number DESC LIMIT %(most)s
            ) AS one ORDER BY one.created_at, one.number
        """,
        "sqlite": """
            SELECT one.asset_id, one.number, one.id, one.uid, +one.created_at,
                COALESCE(one.settled_at, one.created_at), one.annotations
            FROM json_each(%(assets)s) AS wanted CROSS JOIN catalog_instance AS one
            WHERE one.id IN (
                SELECT id FROM catalog_instance
                WHERE asset_id = wanted.value AND state = 'ready' AND deprecation_id IS NULL
                ORDER BY created_at DESC, number DESC LIMIT %(most)s
            ) ORDER BY one.created_at, one.number
        """,
    }
)
"""The last versions of some assets that `latest` could mean, oldest first."""

last_numbers = Statement(
    {
        "postgresql": """
            SELECT wanted.id, one.number
            FROM unnest(%(assets)s::bigint[]) AS wanted (id)
            CROSS JOIN LATERAL (
                SELECT number, created_at FROM catalog_instance
                WHERE asset_id = wanted.id AND state = 'ready' AND deprecation_id IS NULL
                ORDER BY created_at DESC, number DESC LIMIT %(most)s
            ) AS one ORDER BY one.created_at, one.number
        """,
        "sqlite": """
            SELECT one.asset_id, one.number
            FROM json_each(%(assets)s) AS wanted CROSS JOIN catalog_instance AS one
            WHERE one.id IN (
                SELECT id FROM catalog_instance
                WHERE asset_id = wanted.value AND state = 'ready' AND deprecation_id IS NULL
                ORDER BY created_at DESC, number DESC LIMIT %(most)s
            ) ORDER BY one.created_at, one.number
        """,
    }
)
"""The numbers of the same."""

LOCKED = "SELECT id, changed FROM catalog_asset WHERE id {any assets} ORDER BY id"
lock_free = Statement({"postgresql": f"{LOCKED} FOR NO KEY UPDATE SKIP LOCKED", "sqlite": LOCKED})
"""Lock some assets, but for those that somebody else has locked: their keys and marks."""

lock_all = Statement({"postgresql": f"{LOCKED} FOR NO KEY UPDATE", "sqlite": LOCKED})
"""Lock some assets, and wait for those who have: their keys and marks."""

take_flags = Statement("UPDATE catalog_asset SET to_look_at = FALSE WHERE id {any assets}")
"""They have been looked at. Nothing shows it, so they are not marked."""

keep_expected = Statement(
    {
        "postgresql": f"""
            UPDATE catalog_asset SET changed = {MARKS["postgresql"]}, watch = wanted.watch, usual = wanted.usual,
                due_at = wanted.due_at, late_at = wanted.late_at, dormant_at = wanted.dormant_at,
                late_told_at = CASE WHEN wanted.is_over THEN NULL ELSE late_told_at END
            FROM json_to_recordset(%(wanted)s::json) AS wanted (
                id bigint, watch text, usual integer, is_over boolean,
                due_at timestamptz, late_at timestamptz, dormant_at timestamptz
            ) WHERE catalog_asset.id = wanted.id
        """,  # noqa: S608 (names, and no values)
        "sqlite": f"""
            UPDATE catalog_asset SET changed = {MARKS["sqlite"].format(table=Asset._meta.db_table)},
                watch = wanted.value ->> 'watch', usual = wanted.value ->> 'usual',
                due_at = wanted.value ->> 'due_at', late_at = wanted.value ->> 'late_at',
                dormant_at = wanted.value ->> 'dormant_at',
                late_told_at = CASE WHEN wanted.value ->> 'is_over' THEN NULL ELSE late_told_at END
            FROM json_each(%(wanted)s) AS wanted WHERE catalog_asset.id = wanted.value ->> 'id'
        """,  # noqa: S608 (names, and no values)
    }
)
"""Keep what is expected of some assets, each with its columns; `is_over`: that they are late was told, and is over."""

CADENCE = """
    INSERT INTO catalog_cadence (asset_id, told, judged, cause, learned_at)
    {wanted} ON CONFLICT (asset_id) DO UPDATE
    SET told = excluded.told, judged = excluded.judged, learned_at = excluded.learned_at
"""
keep_cadences = Statement(
    {
        "postgresql": CADENCE.format(
            wanted="""
                SELECT wanted.id, wanted.told, wanted.judged, '{}'::jsonb, %(now)s
                FROM json_to_recordset(%(wanted)s::json) AS wanted (id bigint, told jsonb, judged jsonb)
            """
        ),
        "sqlite": CADENCE.format(
            wanted="""
                SELECT wanted.value ->> 'id', wanted.value -> 'told', wanted.value -> 'judged', '{}', %(now)s
                FROM json_each(%(wanted)s) AS wanted WHERE TRUE
            """
        ),
    }
)
"""Keep how the expectations of some assets are known, and which of their versions were judged."""

# what is late

LAST_ON_BRANCH = """
    (SELECT last.refreshed_at FROM catalog_asset AS last
     WHERE last.branch_id = {branch} AND last.deleted_at IS NULL AND last.refreshed_at IS NOT NULL
     ORDER BY last.refreshed_at DESC NULLS LAST LIMIT 1)
"""
IS_LATE = "asset.deleted_at IS NULL AND asset.late_at <= %(now)s AND asset.dormant_at > %(now)s"
LATE = f"""
    SELECT asset.id, asset.branch_id, asset.usual, {LAST_ON_BRANCH.format(branch="asset.branch_id")},
        CAST(cadence.cause AS text), {{is_changed}}
    FROM catalog_asset AS asset
    JOIN catalog_branch AS branch ON branch.id = asset.branch_id
    LEFT JOIN catalog_cadence AS cadence ON cadence.asset_id = asset.id {{rows}}
    WHERE {IS_LATE} AND {ALARMING}
"""  # noqa: S608 (names, and no values)
# the sum keeps the databases from looking for few rows in the order of all keys
IN_ORDER = "AND asset.id + 0 > %(after)s ORDER BY asset.id + 0 LIMIT %(most)s"
HAS_ROW = f"""
    attention.kind = '{AttentionKind.LATE.value}' AND attention.fingerprint <> %(settled)s
    AND (attention.until IS NULL OR attention.until > %(now)s)
"""
UNTOLD_OR_TOLD = LATE.format(is_changed="1", rows="")
WITH_ROW = LATE.format(
    is_changed="CASE WHEN attention.until <> asset.dormant_at OR attention.since <> asset.late_at THEN 1 ELSE 0 END",
    rows=f"JOIN catalog_attention AS attention ON attention.asset_id = asset.id AND {HAS_ROW}",
)

untold_lates = Statement(
    f"{UNTOLD_OR_TOLD} AND asset.late_told_at IS NULL AND asset.late_at <= %(until)s {IN_ORDER}", by_key=False
)
"""What has become late where that alarms, and nobody was told; with when anything on its branch was refreshed last."""

told_lates = Statement(f"{WITH_ROW} {IN_ORDER}", by_key=False)
"""What is late and needs attention by a row of its own."""

told_on_branches = Statement(
    f"{UNTOLD_OR_TOLD} AND asset.branch_id {{any branches}} AND asset.late_told_at IS NOT NULL {IN_ORDER}", by_key=False
)
"""What is late on some branches, and was told."""

ended_lates = Statement(
    f"""
    SELECT asset.id FROM catalog_attention AS attention
    JOIN catalog_asset AS asset ON asset.id = attention.asset_id
    JOIN catalog_branch AS branch ON branch.id = asset.branch_id
    WHERE {HAS_ROW} AND NOT (asset.deleted_at IS NULL AND asset.late_at IS NOT NULL AND asset.late_at <= %(now)s
        AND {ALARMING})
    """,  # noqa: S608 (names, and no values)
    by_key=False,
)
"""What has a row because it is late, and is late no more, or no more where that alarms."""

late_branches = Statement(
    f"""
    SELECT branch.id, CASE WHEN {ALARMING} AND EXISTS (
            SELECT 1 FROM catalog_asset AS one
            WHERE one.branch_id = branch.id AND one.deleted_at IS NULL AND one.late_at <= %(now)s
        ) THEN 1 ELSE 0 END,
        {LAST_ON_BRANCH.format(branch="branch.id")}, attention.since
    FROM catalog_attention AS attention JOIN catalog_branch AS branch ON branch.id = attention.branch_id
    WHERE {HAS_ROW} AND attention.asset_id IS NULL
    """,  # noqa: S608 (names, and no values)
    by_key=False,
)
"""The branches that have a row for all that is late on them: whether something still is, dormant or not, where that
alarms; when anything was refreshed last, and since when the row is."""

rows_of_lates = Statement(
    f"SELECT 1 FROM catalog_attention AS attention WHERE {HAS_ROW} LIMIT 1",  # noqa: S608 (names, and no values)
    by_key=False,
)
"""Whether anything has a row because it is late."""

STILL_LATE = f"""
    SELECT id, CASE WHEN late_told_at IS NULL THEN 0 ELSE 1 END FROM catalog_asset AS asset
    WHERE asset.id {{any assets}} AND {IS_LATE}
"""  # noqa: S608 (names, and no values)
lock_lates = Statement({"postgresql": f"{STILL_LATE} ORDER BY id FOR NO KEY UPDATE", "sqlite": STILL_LATE})
"""Lock those of some assets that are still late; each with whether that was told."""
