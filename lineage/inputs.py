"""What went directly into versions, by the exact rule: of many versions at once, for comparing them.

A copy has the inputs of the version at the beginning of its chain of promotions. The answer is that of the exact
lineage of each version, without the runs between. It costs three queries, however many versions there are: their runs,
what these read, and the names of that. Definitions among it cost one more; copies, and resumed runs, a few.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise

from access.visibility import Sees
from catalog.models import Instance, Run
from lineage.graph import Input, Inputs, Kind, Node
from lineage.instance_names import InstanceNames
from lineage.instance_rows import InstanceRows, Made, instance_key, keys_of, kind_of
from lineage.run_rows import RunKey
from lineage.run_rule import Reading
from lineage.walk import WALK_MOST, Key
from obproject.roles import INPUT

CHAIN = ("pk", *("__".join(["promoted_from"] * links) for links in range(1, 8)))
"""A version and those before it in its chain of promotions, as far as one query follows it."""
QUERIES_MOST = 8

Found = dict[tuple[Key, str], Reading]
"""By what was read, and its role."""


def inputs_of(viewer: Sees, instances: Iterable[Instance]) -> dict[int, Inputs]:
    """The direct inputs of each of these versions, by its key. Each has its asset loaded, with branch and project."""
    return _inputs_of(viewer, InstanceRows(None), {row.pk: row for row in instances})


def inputs_and_runs_of(
    viewer: Sees, instances: Collection[Instance]
) -> tuple[dict[int, Inputs], dict[RunKey, Run], set[RunKey]]:
    """The same, and what is known of the runs that made these versions, which the same query reads; and of which of
    these runs nothing was asked, as of those that made copies."""
    rows = InstanceRows(None, whole_runs=True)
    inputs = _inputs_of(viewer, rows, {row.pk: row for row in instances})
    runs = {(row.asset.branch.project.perimeter_id, row.run) for row in instances if row.run}
    return inputs, *rows.runs_among(runs)


def _inputs_of(viewer: Sees, rows: InstanceRows, asked: Mapping[int, Instance]) -> dict[int, Inputs]:
    rows.know(asked.values())
    origins = _origins(rows, asked)
    rows.read(set(origins.values()))
    makers = [rows.made[pk] for pk in dict.fromkeys(origins.values())]
    rows.load_inputs(makers, WALK_MOST)
    read = {made.pk: _each_once(rows.readings_of(made)) for made in makers if not made.is_copy}
    of_inputs = _origins_of_inputs(rows, {key for found in read.values() for key, _ in found})
    nodes = InstanceNames(viewer, None, rows).nodes(of_inputs, ())
    complete = {made.pk: not made.is_copy and not rows.cut and not rows.is_presumed(made) for made in makers}
    return {
        pk: Inputs(_in_order(rows, read.get(origin, {}), nodes, of_inputs), complete[origin])
        for pk, origin in origins.items()
    }


def _each_once(readings: Iterable[Reading]) -> Found:
    return {(row.content, _role(row)): row for row in readings}


def _role(reading: Reading) -> str:
    return "" if reading.role in (None, INPUT) else str(reading.role)


def _in_order(
    rows: InstanceRows, found: Collection[tuple[Key, str]], nodes: Mapping[Key, Node], origins: Mapping[Key, Key]
) -> tuple[Input, ...]:
    inputs = []
    for content, role in found:
        is_known = kind_of(content) == "instance" and nodes[content].kind != Kind.HIDDEN
        asset = rows.made[content[1]].asset if is_known else None
        inputs.append(Input(nodes[content], origins[content], role, asset))
    return tuple(sorted(inputs, key=lambda one: (one.role, one.node.kind, one.node.key, one.node.branch, one.node.id)))


# copies


def _origins(rows: InstanceRows, pks: Iterable[int]) -> dict[int, int]:
    """The version at the beginning of each one's chain of promotions: itself, if it is no copy. One query, if there
    are copies of copies a few more.

    A copy of what the catalogue does not have is a beginning, too.
    """
    links = {pk: source for pk in pks if (source := rows.made[pk].source)}
    rows.read(set(links.values()))
    deeper = {pk: source for pk in links.values() if (source := rows.made[pk].source)}
    if deeper:
        links |= deeper | _links(set(deeper.values()))
        rows.read({_end(links, pk) for pk in deeper})
    return {pk: _end(links, pk) for pk in pks}


def _end(links: Mapping[int, int], pk: int) -> int:
    while pk in links:
        pk = links[pk]
    return pk


def _links(copies: set[int]) -> dict[int, int]:
    """The source of each of these that is a copy, of that one, and so on."""
    links: dict[int, int] = {}
    ahead = copies
    for _ in range(QUERIES_MOST):
        chains = list(Instance.objects.filter(pk__in=ahead).values_list(*CHAIN)) if ahead else []
        for chain in chains:
            links |= {pk: source for pk, source in pairwise(chain) if source is not None}
        ahead = {chain[-1] for chain in chains if chain[-1] is not None} - links.keys()
    return links


def _origins_of_inputs(rows: InstanceRows, contents: Iterable[Key]) -> dict[Key, Key]:
    """The key of what is at the beginning of each one's chain, which may be known by its id alone."""
    keys = list(dict.fromkeys(contents))
    ends = _origins(rows, [key[1] for key in keys_of("instance", keys)])
    return {key: _key_of(rows.made[ends[key[1]]]) if kind_of(key) == "instance" else key for key in keys}


def _key_of(made: Made) -> Key:
    return ("unknown", made.unknown_source) if made.unknown_source else instance_key(made.pk)
