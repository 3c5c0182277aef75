"""What the series ask, as SQL: see `access/statements.py`. Each is found by the key of an asset."""

from access.statements import Statement

measured_of = Statement(
    {
        "postgresql": """
            SELECT number, created_at, state,
                CASE WHEN octet_length(annotations::text) <= %(whole)s THEN annotations::text END
            FROM catalog_instance WHERE asset_id = %(asset)s AND number BETWEEN %(first)s AND %(last)s ORDER BY number
        """,
        "sqlite": """
            SELECT number, created_at, state, CASE WHEN length(annotations) <= %(whole)s THEN annotations END
            FROM catalog_instance WHERE asset_id = %(asset)s AND number BETWEEN %(first)s AND %(last)s ORDER BY number
        """,
    }
)
"""The versions in a span with their annotations, as far as these are no longer than the `whole` that is read."""

numbers_in = Statement(
    {
        "postgresql": """
            SELECT instance.number, member.key, jsonb_typeof(member.value) = 'number', member.value #>> '{}'
            FROM catalog_instance AS instance CROSS JOIN LATERAL jsonb_each(instance.annotations) AS member
            WHERE instance.asset_id = %(asset)s AND instance.number {any numbers}
            AND (%(every)s OR member.key {any names})
            AND (jsonb_typeof(member.value) = 'number'
                OR jsonb_typeof(member.value) = 'string' AND length(member.value #>> '{}') <= %(longest)s)
            ORDER BY instance.number, member.key
        """,
        "sqlite": """
            SELECT instance.number, member.key, member.type <> 'text', member.value
            FROM catalog_instance AS instance
            JOIN json_each(CASE WHEN json_valid(instance.annotations) THEN instance.annotations ELSE '{}' END) AS member
            WHERE instance.asset_id = %(asset)s AND instance.number {any numbers}
            AND (%(every)s OR member.key {any names})
            AND (member.type IN ('integer', 'real') OR member.type = 'text' AND length(member.value) <= %(longest)s)
            ORDER BY instance.number, member.key
        """,
    }
)
"""The numbers of some versions, and the short texts that may read as one: of every key, or of some."""
