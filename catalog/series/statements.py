"""What the series ask, as SQL: see `access/statements.py`. Each is found by the key of an asset."""

from access.statements import Statement
from catalog.states import DEPRECATED

STATE = f"CASE WHEN deprecation_id IS NULL THEN state ELSE '{DEPRECATED}' END"

measured_of = Statement(
    {
        "postgresql": f"""
            SELECT number, created_at, {STATE},
                CASE WHEN octet_length(annotations::text) <= %(whole)s THEN annotations::text END
            FROM catalog_instance WHERE asset_id = %(asset)s AND number BETWEEN %(first)s AND %(last)s
            UNION ALL
            SELECT number, created_at, {STATE},
                CASE WHEN octet_length(annotations::text) <= %(whole)s THEN annotations::text END
            FROM catalog_instance WHERE asset_id = %(asset)s AND number BETWEEN %(other_first)s AND %(other_last)s
            ORDER BY number
        """,  # noqa: S608 (a constant)
        "sqlite": f"""
            SELECT number, created_at, {STATE}, CASE WHEN length(annotations) <= %(whole)s THEN annotations END
            FROM catalog_instance WHERE asset_id = %(asset)s AND number BETWEEN %(first)s AND %(last)s
            UNION ALL
            SELECT number, created_at, {STATE}, CASE WHEN length(annotations) <= %(whole)s THEN annotations END
            FROM catalog_instance WHERE asset_id = %(asset)s AND number BETWEEN %(other_first)s AND %(other_last)s
            ORDER BY number
        """,  # noqa: S608 (a constant)
    }
)
"""The versions in two spans with their annotations, as far as these are no longer than the `whole` that is read."""

numbers_in = Statement(
    {
        "postgresql": """
            SELECT instance.number, member.key, jsonb_typeof(member.value) = 'number', member.value #>> '{}'
            FROM catalog_instance AS instance CROSS JOIN LATERAL jsonb_each(instance.annotations) AS member
            WHERE instance.asset_id = %(asset)s AND instance.number {any numbers}
            AND (%(every)s OR member.key {any names})
            AND (jsonb_typeof(member.value) = 'number'
                OR jsonb_typeof(member.value) = 'string' AND length(member.value #>> '{}') <= %(longest)s)
            ORDER BY instance.number DESC LIMIT %(most)s
        """,
        "sqlite": """
            SELECT instance.number, member.key, member.type <> 'text', member.value
            FROM catalog_instance AS instance
            JOIN json_each(CASE WHEN json_valid(instance.annotations) THEN instance.annotations ELSE '{}' END) AS member
            WHERE instance.asset_id = %(asset)s AND instance.number {any numbers}
            AND (%(every)s OR member.key {any names})
            AND (member.type IN ('integer', 'real') OR member.type = 'text' AND length(member.value) <= %(longest)s)
            ORDER BY instance.number DESC LIMIT %(most)s
        """,
    }
)
"""The numbers of some versions, and the short texts that may read as one: of every key, or of some; so many of them."""

blocks_between = Statement(
    """
    SELECT block.id, block.number, block.first_number, block.last_number, block.first_at, block.last_at,
        block.versions, block.failed, block.pending, block.deprecated, block.left_out,
        metric.name, metric.low, metric.low_number, metric.high, metric.high_number, metric.measured,
        CASE WHEN block.number {any opened} THEN metric.packed END,
        CASE WHEN block.number {any opened} THEN block.times END,
        CASE WHEN block.number {any opened} THEN block.states END
    FROM catalog_seriesblock AS block
    LEFT JOIN catalog_metricblock AS metric ON metric.block_id = block.id AND metric.name {any names}
    WHERE block.asset_id = %(asset)s AND block.number BETWEEN %(first)s AND %(last)s
    ORDER BY block.number
    """
)
"""What is kept of some metrics in the blocks between two: a row for each of both, or one without a metric; the values,
times and states of those that are to be `opened`."""

names_of_blocks = Statement(
    "SELECT number, names, left_out FROM catalog_seriesblock WHERE asset_id = %(asset)s ORDER BY number"
)

to_pack = Statement(
    """
    SELECT id FROM catalog_asset
    WHERE deleted_at IS NULL AND last_number >= (series_whole + 256) AND id > %(after)s ORDER BY id LIMIT 100
    """
)
"""The keys of assets of which a block can be packed. What is asked is, to the letter, the condition of the index."""
