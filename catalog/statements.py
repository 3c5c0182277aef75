"""What every call of a flow asks, as SQL: see `access/statements.py`. Each is found by a key.

A read for somebody is by the key of a perimeter that `Viewer.require` gave, or of an asset that was found so.
"""

from access.statements import Rows, Statement
from catalog.marks import mark_of
from catalog.models import Asset, Branch, BranchKey, Component, Edge, GateRevision, IdempotencyKey, Instance, Run

COLUMNS = "SELECT {columns} FROM"
ASSETS = """
    catalog_asset AS asset
    JOIN catalog_branch AS branch ON branch.id = asset.branch_id
    JOIN catalog_project AS branch__project ON branch__project.id = branch.project_id
"""
NEWEST_READY = "LEFT JOIN catalog_instance AS newest_ready ON newest_ready.id = asset.newest_ready_id"
LIVE_AT_PLACE = """
    WHERE branch__project.perimeter_id = %(perimeter)s AND branch__project.name = %(project)s
    AND branch.key = %(key)s AND asset.kind = %(kind)s AND asset.asset_id = %(asset_id)s AND asset.deleted_at IS NULL
"""
PLACE = ("branch", "branch__project")
WHOLE_ASSETS = f"""
    {ASSETS} {NEWEST_READY}
    LEFT JOIN catalog_component AS newest_ready__component ON newest_ready__component.id = newest_ready.component_id
    LEFT JOIN catalog_instance AS newest ON newest.id = asset.newest_id
    LEFT JOIN catalog_component AS newest__component ON newest__component.id = newest.component_id
"""
WHOLE = (*PLACE, "newest_ready", "newest_ready__component", "newest", "newest__component")

# perimeter, project, key, kind, asset_id: the live asset there

asset_at = Rows(Asset, f"{COLUMNS} {ASSETS} {NEWEST_READY} {LIVE_AT_PLACE}", related=[*PLACE, "newest_ready"])
"""With what `latest` answers."""

whole_asset_at = Rows(Asset, f"{COLUMNS} {WHOLE_ASSETS} {LIVE_AT_PLACE}", related=WHOLE)
"""Also with its newest instance of any state, and with who made them."""

locked_asset_at = Rows(Asset, f"{COLUMNS} {ASSETS} {LIVE_AT_PLACE} {{lock}}", related=PLACE)
"""Locked for this transaction."""

BRANCH_AT_PLACE = """
    catalog_branch AS branch
    JOIN catalog_project AS project ON project.id = branch.project_id
    LEFT JOIN catalog_specversion AS spec ON spec.id = branch.spec_id
    WHERE project.perimeter_id = %(perimeter)s AND project.name = %(project)s AND branch.key = %(key)s
"""
branch_at = Rows(Branch, f"{COLUMNS} {BRANCH_AT_PLACE}", related=["project", "spec"])
"""The branch of a key with its newest deploy."""

INSTANCE_OF_ASSET = """
    SELECT {columns} FROM catalog_instance AS instance
    JOIN catalog_component AS component ON component.id = instance.component_id
    WHERE instance.asset_id = %(asset)s
"""
instance_by_id = Rows(Instance, f"{INSTANCE_OF_ASSET} AND instance.uid = %(uid)s", related=["component"])
instance_by_number = Rows(Instance, f"{INSTANCE_OF_ASSET} AND instance.number = %(number)s", related=["component"])

own_instance = Rows(
    Instance,
    "SELECT {columns} FROM catalog_instance AS instance WHERE instance.asset_id = %(asset)s AND instance.uid = %(uid)s",
)
"""The instance of an asset with this id, without who made it."""

first_equal = Statement(
    """
    SELECT MIN(number) FROM catalog_instance
    WHERE asset_id = %(asset)s AND digest = %(digest)s AND state <> 'failed'
    """
)
"""The number of the first instance of an asset with this content; null if all have failed."""

# what gates ask of every move

gates_by_key = Rows(
    GateRevision, "SELECT {columns} FROM catalog_gaterevision AS gaterevision WHERE gaterevision.id = %(pk)s"
)

held_before = Statement(
    """
    SELECT 1 FROM catalog_asset AS asset JOIN catalog_aliasmove AS move ON move.asset_id = asset.id
    WHERE asset.branch_id = %(branch)s AND asset.kind = %(kind)s AND asset.asset_id = %(asset_id)s
    AND move.name = %(name)s AND move.to_uid = %(uid)s LIMIT 1
    """
)
"""Whether an alias was ever moved to this id, on an asset at this address or on one that was deleted there."""

annotations_before = Statement(
    """
    SELECT CAST(annotations AS text) FROM catalog_instance
    WHERE asset_id = %(asset)s AND state = 'ready' AND deprecation_id IS NULL
    AND created_at >= %(since)s AND created_at <= %(at)s AND (created_at < %(at)s OR number < %(number)s)
    ORDER BY created_at DESC, number DESC LIMIT %(most)s
    """
)
"""Those of the last ready versions of an asset before a moment, or before a number of that moment, the last first; none
that are older than what is normal by now (`since`)."""

further_key = Rows(
    BranchKey,
    """
    SELECT {columns} FROM catalog_branchkey AS branchkey
    JOIN catalog_branch AS branch ON branch.id = branchkey.branch_id
    JOIN catalog_project AS project ON project.id = branchkey.project_id
    WHERE project.perimeter_id = %(perimeter)s AND project.name = %(project)s AND branchkey.key = %(key)s
    """,
    related=["branch"],
)
"""The branch that has this key besides its own."""

KNOWN_OF_RUN = ("id", "perimeter", "name", "component", "branch", "reported_at")

component_named = Rows(
    Component,
    """
    SELECT {columns} FROM catalog_component AS component
    LEFT JOIN catalog_run AS known_run ON known_run.perimeter_id = component.perimeter_id AND known_run.name = %(run)s
    WHERE component.perimeter_id = %(perimeter)s AND component.project_name = %(project)s
    AND component.kind = %(kind)s AND component.name = %(name)s
    """,
    beside={"known_run": Run},
    without=[f"known_run__{field.name}" for field in Run._meta.concrete_fields if field.name not in KNOWN_OF_RUN],
)
"""A component, and as its `known_run` what writers need of one of its runs; None if there is none of this name."""

run_named = Rows(
    Run,
    "SELECT {columns} FROM catalog_run AS run WHERE run.perimeter_id = %(perimeter)s AND run.name = %(name)s",
    without=["graph"],
)
"""What is known of a run or a session, without its graph."""

kept_answer = Rows(
    IdempotencyKey, "SELECT {columns} FROM catalog_idempotencykey AS idempotencykey WHERE digest = %(digest)s"
)

attempts_of = Statement(
    """
    SELECT MIN(instance.attempt), MAX(instance.attempt) FROM catalog_instance AS instance
    JOIN catalog_component AS component ON component.id = instance.component_id
    WHERE instance.producer_id = %(entity_id)s AND instance.producer_kind = %(kind)s
    AND component.perimeter_id = %(perimeter)s
    """
)
"""The lowest and the highest attempt by which an entity registered anything; null if it did so without one."""

# What an entity registered with an attempt, or without one: on live assets, or also on `deleted` ones; `every` one of
# them, or those of some ids

REGISTERED_BY_ATTEMPT = """
    FROM catalog_instance AS instance
    JOIN catalog_component AS component ON component.id = instance.component_id
    JOIN catalog_asset AS asset ON asset.id = instance.asset_id
    JOIN catalog_branch AS asset__branch ON asset__branch.id = asset.branch_id
    JOIN catalog_project AS asset__branch__project ON asset__branch__project.id = asset__branch.project_id
    WHERE instance.producer_id = %(entity_id)s AND instance.producer_kind = %(kind)s
    AND component.perimeter_id = %(perimeter)s AND COALESCE(instance.attempt, -1) = COALESCE(%(attempt)s, -1)
    AND (%(deleted)s OR asset.deleted_at IS NULL) AND (%(every)s OR instance.uid {any uids})
"""
UNSETTLED = "AND (instance.state = 'pending' OR instance.state = 'failed' AND instance.state_reason LIKE %(lost)s)"

assets_to_settle = Statement(f"SELECT DISTINCT instance.asset_id {REGISTERED_BY_ATTEMPT} {UNSETTLED}")
"""The keys of the assets that have something to be settled."""

to_settle = Rows(
    Instance,
    f"""
    SELECT {{columns}}, asset__branch__project.timezone
    {REGISTERED_BY_ATTEMPT} {UNSETTLED} AND asset.id {{any assets}} ORDER BY instance.id
    """,
    also=["zone"],
)
"""What is to be settled on some assets; with the time zone of the project, as `zone`."""

registered_by_attempt = Rows(
    Instance,
    f"SELECT {{columns}} {REGISTERED_BY_ATTEMPT} ORDER BY instance.id",
    related=["asset", "asset__branch", "asset__branch__project"],
)

settle = Statement(
    """
    UPDATE catalog_instance
    SET state = %(state)s, state_reason = %(reason)s, settled_at = %(at)s, digest = COALESCE(%(digest)s, digest),
        deprecation_id = CASE WHEN %(fails)s THEN NULL ELSE deprecation_id END
    WHERE id = %(pk)s
    """
)
point_assets_to_ready = Statement(
    f"""
    UPDATE catalog_asset
    SET ready_count = %(ready_count)s, newest_ready_id = %(newest_ready)s, ready_number = %(ready_number)s,
        refreshed_at = %(refreshed_at)s, changed = {mark_of(Asset)},
        due_at = %(due_at)s, late_at = %(late_at)s, dormant_at = %(dormant_at)s, late_told_at = %(late_told_at)s,
        to_look_at = %(to_look_at)s
    WHERE id = %(pk)s
    """  # noqa: S608 (the name of a table)
)

locked_assets = Rows(
    Asset, "SELECT {columns} FROM catalog_asset AS asset WHERE asset.id {any pks} ORDER BY asset.id {lock}"
)
"""Those of these keys, locked for this transaction in their order."""

instances_by_key = Rows(Instance, "SELECT {columns} FROM catalog_instance AS instance WHERE instance.id {any pks}")

TELLING = ("id", "description", "asset_kind", "created_at", "number")

telling_instance = Rows(
    Instance,
    "SELECT {columns} FROM catalog_instance AS instance WHERE instance.id = %(pk)s",
    without=[field.name for field in Instance._meta.concrete_fields if field.name not in TELLING],
)
"""What an instance tells about its asset, and where it stands among the others."""

# Edges. An event that is counted is a row of the columns EVENT

FACT = ("asset_id", "component_id", "direction", "write_branch", "role")
LAST = ("last_at", "last_entity_kind", "last_entity_id", "last_instance_id")
"""What an edge keeps of the last event in time."""
EVENT = ", ".join((*FACT, "write_branch_name", "first_at", *LAST))
ONE_MORE = f"""count = edge.count + 1, changed = {mark_of(Edge)},
    first_at = CASE WHEN edge.count = 0 OR event.first_at < edge.first_at THEN event.first_at ELSE edge.first_at END,
""" + ", ".join(
    f"{column} = CASE WHEN edge.count = 0 OR event.last_at >= edge.last_at THEN event.{column} ELSE edge.{column} END"
    for column in LAST
)
"""One that arrived late is not the last; what failed is not counted, and its times are those of no others."""


def counting(events: str) -> str:
    """The SQL that counts events in their edges, and makes those that are missing."""
    return f"""
        INSERT INTO catalog_edge AS edge ({EVENT}, count, branch_id, changed)
        SELECT {EVENT}, 1, (SELECT branch_id FROM catalog_asset AS asset WHERE asset.id = event.asset_id),
            {mark_of(Edge)}
        FROM ({events}) AS event WHERE true
        ON CONFLICT (asset_id, component_id, direction, write_branch, COALESCE(role, '')) DO UPDATE
        SET {ONE_MORE.replace("event.", "excluded.")}
    """  # noqa: S608 (names of tables and columns, and no values)


def counting_in_known(events: str) -> str:
    """The SQL that counts events in the edges that are there, and answers the keys of these."""
    return f"""
        UPDATE catalog_edge AS edge SET {ONE_MORE} FROM ({events}) AS event
        WHERE edge.asset_id = event.asset_id AND edge.component_id = event.component_id
        AND edge.direction = event.direction AND edge.write_branch = event.write_branch
        AND COALESCE(edge.role, '') = COALESCE(event.role, '') RETURNING id
    """  # noqa: S608 (names of tables and columns, and no values)
