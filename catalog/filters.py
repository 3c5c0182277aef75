"""The filters of lists. Each is one row of FILTERS; API, pages, OpenAPI document and docs are made from the rows."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.lookups import Exact
from django.http import QueryDict
from django.utils import timezone

from access.errors import BadRequest
from catalog import limits
from catalog.filter_values import (
    AnnotationFilter,
    Values,
    annotation_of,
    as_written,
    each,
    reference_of,
    states_of,
    tag_of,
    time_of,
    words_of,
    yes_or_no,
)
from catalog.freshness.state import is_late
from catalog.json_lookups import found_by_index, scalar_spellings
from catalog.limits import UNSTORABLE
from catalog.states import ANY_STATE, State
from obproject.references import Reference, ReferenceKind

NOTHING = Q(pk__in=[])


@dataclass(frozen=True)
class Filter:
    """One parameter that narrows lists, and everything about it.

    `label` names it in a sentence, `examples` and `doc` explain it, `many` says that it makes sense to repeat it;
    `aliases` are other spellings of its name. `parse` makes values of the texts that a query gives; all of them must
    hold. The queries of one value: `on_instance` takes the prefix that leads to the instance, such as `newest__`;
    `on_shown` is asked in its place in a list of assets, if what the asset declares counts too; `on_definition` is
    asked of an asset whose definition stands for an instance (None: that does not match). `on_asset` is asked, in a
    list of assets, of the asset itself instead of what stands for it. Without any query it is the row of the states,
    which say what stands for an asset. `by_index` takes a value and an asset: what an index finds among the instances
    of that asset, which is at least what `on_instance` asks for; None where no index can.
    """

    name: str
    label: str
    examples: tuple[str, ...]
    doc: str
    parse: Callable[[str, list[str]], Values]
    on_instance: Callable[[Any, str], Q] | None = None
    on_shown: Callable[[Any, str], Q] | None = None
    on_definition: Callable[[Any], Q] | None = None
    on_asset: Callable[[Any], Q] | None = None
    by_index: Callable[[Any, Any], Q | None] | None = None
    aliases: tuple[str, ...] = ()
    many: bool = False
    value_type: type = str

    @property
    def names(self) -> tuple[str, ...]:
        return self.name, *self.aliases

    def values_in(self, query: QueryDict) -> Values:
        """The values of the filter in a query; an invalid one is refused by name, never ignored."""
        given = [(name, text) for name in self.names for text in query.getlist(name) if text]
        return self.parse(given[0][0], [text for _, text in given]) if given else ()


def _check_texts(name: str, texts: list[str]) -> None:
    if any(UNSTORABLE.search(text) for text in texts):
        raise BadRequest(
            f"The filter '{name}' has a NUL or a lone surrogate, which nothing has. Take it out.", field=name
        )
    if len(texts) > limits.FILTERS_OF_A_KIND:
        raise BadRequest(f"The filter '{name}' may be given {limits.FILTERS_OF_A_KIND} times at most.", field=name)


def _any_contains(text: str, *columns: str) -> Q:
    found = Q()
    for column in columns:
        found |= Q(**{f"{column}__icontains": text})
    return found


def _has_tag(column: str, tag: tuple[str, str | None]) -> Q:
    key, value = tag
    return Q(**{f"{column}__has_name": key}) if value is None else Q(**{f"{column}__has_member": (key, value)})


def _has_effective_tag(column: str, tag: tuple[str, str | None]) -> Q:
    """An instance that stands for its asset has the tag, or has nothing against one that is declared."""
    key, value = tag
    declared = _has_tag("declared_tags", tag)
    if value is not None:
        declared &= ~Q(**{f"{column}__has_name": key})
    return _has_tag(column, tag) | declared


def _has_annotation(column: str, asked: AnnotationFilter) -> Q:
    if asked.operator in ("=", "!="):
        equal = Q()
        for value in scalar_spellings(asked.value):
            equal |= Q(**{f"{column}__has_member": (asked.key, value)})
        return equal if asked.operator == "=" else Q(**{f"{column}__has_name": asked.key}) & ~equal
    return Q(**{f"{column}__member_compares": (asked.key, asked.operator, asked.number)})


def _tag_by_index(tag: tuple[str, str | None], asset: Any) -> Q | None:
    key, value = tag
    return None if value is None else found_by_index("tags", asset.pk, key, value)


def _annotation_by_index(asked: AnnotationFilter, asset: Any) -> Q | None:
    if asked.operator != "=":
        return None
    values = scalar_spellings(asked.value)
    return _any(found_by_index("annotations", asset.pk, asked.key, value) for value in values)


def _producer_by_index(who: str, asset: Any) -> Q:
    """What is no task is called as its component, and many things may be made by one: so it is not asked for twice."""
    perimeter = asset.branch.project.perimeter
    components: Any = apps.get_model("catalog", "Component")._default_manager.of(perimeter)
    named = list(components.filter(name=who).values_list("pk", flat=True))
    # what a run or a task has made is little, so the asset is asked for as no index has it: SQLite would read all of it
    one_of_few = Q(Exact(F("asset") + 0, asset.pk))
    by_id = Q(asset=asset, component__in=named) if named else Q(producer_id=who) & one_of_few
    return Q(run=who) & one_of_few | by_id


def _content_by_index(reference: Reference, asset: Any) -> Q:
    instances: Any = apps.get_model("catalog", "Instance")._default_manager.of(asset)
    digest = next(iter(_meant_by(reference, instances).values_list("digest", flat=True)), None)
    return Q(asset=asset, digest=digest) if digest else NOTHING


def _meant_by(reference: Reference, of_asset: Any) -> Any:
    """The instance of an asset that a reference means, of the ready ones if it is the latest, as a query."""
    if reference.kind == ReferenceKind.LATEST:
        return of_asset.in_states(()).latest_first()[reference.offset : reference.offset + 1]
    by: dict[str, tuple[str, Any]] = {
        ReferenceKind.NUMBER: ("number", reference.number),
        ReferenceKind.ALIAS: ("aliases__name", reference.alias),
        ReferenceKind.ID: ("uid", reference.id),
    }
    return of_asset.filter(by[reference.kind])


def _has_content_of(reference: Reference, at: str) -> Q:
    """The digest is that of an instance of the same asset. As subqueries: joins would show a row several times."""
    same: Any = apps.get_model("catalog", "Instance")._default_manager.filter(asset=OuterRef(f"{at}asset"))
    found = _meant_by(reference, same)
    if reference.kind == ReferenceKind.LATEST:
        return Q(**{f"{at}digest": Subquery(found.values("digest"))})
    return Q(Exists(found.filter(digest=OuterRef(f"{at}digest"))))


def _is_late(value: bool, asset: str) -> Q:
    late = is_late(timezone.now(), asset)
    return late if value else ~late


TEXT = Filter(
    name="text",
    label="text",
    examples=("text=late churn",),
    doc="All words occur in id, name or description (of instances: description or producer).",
    parse=words_of,
    on_instance=lambda word, at: _any_contains(word, f"{at}description", f"{at}producer_id"),
    on_asset=lambda word: _any_contains(word, "asset_id", "name", "description", "newest_ready__description"),
    aliases=("q",),
)
TAG = Filter(
    name="tag",
    label="tag",
    examples=("tag=env=prod", "tag=env"),
    doc="The tag has this value; the tag is there. May be repeated. In a list of assets the declared tags count too, "
    "unless the instance has another value; in a list of instances those of the instance.",
    parse=each(tag_of),
    on_instance=lambda tag, at: _has_tag(f"{at}tags", tag),
    on_shown=lambda tag, at: _has_effective_tag(f"{at}tags", tag),
    on_definition=lambda tag: _has_tag("declared_tags", tag),
    by_index=_tag_by_index,
    many=True,
)
PRODUCER = Filter(
    name="producer",
    label="made by",
    examples=("producer=TrainFlow",),
    doc="A flow, deployment or person, a run (`TrainFlow/17`) or session, or a whole entity id.",
    parse=each(as_written),
    on_instance=lambda who, at: (
        Q(**{f"{at}producer_id": who}) | Q(**{f"{at}component__name": who}) | Q(**{f"{at}run": who})
    ),
    on_definition=lambda who: Q(declared_by_id=who),
    by_index=_producer_by_index,
)
SINCE = Filter(
    name="since",
    label="from",
    examples=("since=2026-11-17",),
    doc="Registered at or after this time; RFC 3339.",
    parse=each(time_of),
    on_instance=lambda time, at: Q(**{f"{at}created_at__gte": time}),
    by_index=lambda time, asset: Q(asset=asset, created_at__gte=time),
    on_definition=lambda time: Q(declared_at__gte=time),
    value_type=datetime,
)
UNTIL = Filter(
    name="until",
    label="before",
    examples=("until=2026-11-17T12:00:00Z",),
    doc="Registered before this time; RFC 3339.",
    parse=each(time_of),
    on_instance=lambda time, at: Q(**{f"{at}created_at__lt": time}),
    by_index=lambda time, asset: Q(asset=asset, created_at__lt=time),
    on_definition=lambda time: Q(declared_at__lt=time),
    value_type=datetime,
)
SAME_AS = Filter(
    name="same_as",
    label="same content as",
    examples=("same_as=v3", "same_as=@production"),
    doc="The content is known to be that of this version of the same asset: "
    "`v3`, `@alias`, `latest` (of the ready ones) or an id. A version whose digest is unknown has the content of none.",
    parse=each(reference_of),
    on_instance=_has_content_of,
    by_index=_content_by_index,
)
STATE = Filter(
    name="state",
    label="state",
    examples=("state=any",),
    doc="In which states instances are seen: "
    f"`{State.READY}` (default), `{State.PENDING}`, `{State.FAILED}`, `{ANY_STATE}`, or several with commas.",
    parse=states_of,
    many=True,
)
DEPRECATED = Filter(
    name="deprecated",
    label="deprecated",
    examples=("deprecated=true",),
    doc="`true`: the deprecated versions; `false`: the others. Without it, and without `state`, lists have the others. "
    "In a list of assets: those that have a deprecated version, or have none.",
    parse=each(yes_or_no),
    on_instance=lambda value, at: Q(**{f"{at}deprecation__isnull": not value}),
    on_asset=lambda value: Q(deprecated_count__gt=0) if value else Q(deprecated_count=0),
    by_index=lambda value, asset: Q(asset=asset, deprecation__isnull=False) if value else None,
    value_type=bool,
)
LATE = Filter(
    name="late",
    label="late",
    examples=("late=yes",),
    doc="`yes`: the assets whose next version is late, on whatever branch; `no`: the others, among them those that are "
    "*dormant*. In a list of instances: those of such assets.",
    parse=each(yes_or_no),
    on_instance=lambda value, at: _is_late(value, f"{at}asset__"),
    on_asset=lambda value: _is_late(value, ""),
)
FILTERS = (
    TEXT,
    TAG,
    Filter(
        name="annotation",
        label="annotation",
        examples=("annotation=rows=100", "annotation=accuracy>=0.9"),
        doc="Equal (as text or as the JSON value it spells), or `!=`; "
        "`>=`, `<=`, `>`, `<` for numbers. May be repeated.",
        parse=each(annotation_of),
        on_instance=lambda asked, at: _has_annotation(f"{at}annotations", asked),
        on_definition=lambda asked: _has_annotation("properties", asked),
        by_index=_annotation_by_index,
        many=True,
    ),
    Filter(
        name="kind",
        label="kind",
        examples=("kind=artifact",),
        doc="The data kind or model kind: how the reference is resolved.",
        parse=each(as_written),
        on_instance=lambda kind, at: Q(**{f"{at}asset_kind": kind}),
        on_definition=lambda kind: Q(asset_kind=kind),
    ),
    PRODUCER,
    SINCE,
    UNTIL,
    SAME_AS,
    DEPRECATED,
    LATE,
    STATE,
)


@dataclass(frozen=True)
class FiltersAsked:
    """The filters in force and their values, all of which must hold; true if there are any."""

    values: dict[str, Values] = field(default_factory=dict)

    @classmethod
    def of(cls, query: QueryDict, takes: Sequence[Filter] = FILTERS) -> "FiltersAsked":
        if not query:
            return cls()
        for name, texts in query.lists():
            _check_texts(name, texts)
        return cls({row.name: values for row in takes if (values := row.values_in(query))})

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def text(self) -> str:
        return " ".join(self.values.get(TEXT.name, ()))

    @property
    def states(self) -> tuple[str, ...]:
        """Empty: the default of the list that is asked, which is the ready ones."""
        return self.values.get(STATE.name, ())

    @property
    def ask_for_deprecated(self) -> bool:
        """Whether it is said if these are wanted; else lists of instances have them only where states are named."""
        return DEPRECATED.name in self.values

    def in_any_state(self) -> "FiltersAsked":
        """People see every registration unless they ask for less; programs see the ready ones."""
        return FiltersAsked({STATE.name: tuple(State.values)} | self.values)

    def without(self, row: Filter) -> "FiltersAsked":
        return FiltersAsked({name: values for name, values in self.values.items() if name != row.name})

    @property
    def ask_what_is_shown(self) -> bool:
        """Whether it matters, in a list of assets, what stands for an asset."""
        return bool(self.states) or self.ask_what_is_in_it

    @property
    def ask_what_is_in_it(self) -> bool:
        """Whether more of it is asked for than its state."""
        return any(True for _ in self._of_shown())

    def on_instance(self) -> Q:
        """The conditions on an instance in a list of instances, except its state."""
        return _all(row.on_instance(value, "") for row, value in self._pairs() if row.on_instance)

    @property
    def narrow(self) -> bool:
        """Whether a list of instances may leave any out. Without a state it does, as it has the ready ones only."""
        return set(self.states) != set(State.values) or bool(self.on_instance())

    def until(self) -> Q:
        """The condition that an instance was made before some time; empty if that is not asked for."""
        return FiltersAsked({UNTIL.name: self.values.get(UNTIL.name, ())}).on_instance()

    def by_index(self, asset: Any) -> Q | None:
        """What indexes find among the instances of an asset, which is at least what is asked for; None: no index can.

        May ask the database for what the values mean.
        """
        asked = [row.by_index(value, asset) for row, value in self._pairs() if row.by_index]
        found = [query for query in asked if query is not None]
        if self.states and State.READY not in self.states:  # the others are few
            found.append(Q(asset=asset, state__in=self.states))
        return _all(iter(found)) if found else None

    def on_asset(self) -> Q:
        """The conditions on an asset itself in a list of assets."""
        return _all(row.on_asset(value) for row, value in self._pairs() if row.on_asset)

    def on_shown(self, prefix: str) -> Q:
        """The conditions on the instance that is shown for an asset; `prefix` is the path to it."""
        asked = ((row.on_shown or row.on_instance, value) for row, value in self._of_shown())
        return _all(ask(value, prefix) for ask, value in asked if ask)

    def on_definition(self) -> Q:
        """The same of a definition that stands in the place of an instance."""
        return _all(row.on_definition(value) if row.on_definition else NOTHING for row, value in self._of_shown())

    def _pairs(self) -> Iterator[tuple[Filter, Any]]:
        return ((row, value) for row in FILTERS for value in self.values.get(row.name, ()))

    def _of_shown(self) -> Iterator[tuple[Filter, Any]]:
        return ((row, value) for row, value in self._pairs() if row.on_instance and not row.on_asset)


def unknown_parameters(query: QueryDict, takes: Sequence[Filter], others: Collection[str]) -> list[str]:
    """The parameters of a query that are neither filters nor among the others that an address takes."""
    if not query:
        return []
    known = {*others, *(name for row in takes for name in row.names)}
    return [name for name in query if name not in known]


def refusal_of_unknown(unknown: list[str], takes: Sequence[Filter], others: Collection[str]) -> BadRequest:
    """A program whose filter is passed over would take the whole list for what it asked."""
    names = ", ".join(f"'{name}'" for name in unknown)
    known = ", ".join([*(row.name for row in takes), *others])
    return BadRequest(f"This address knows no parameter {names}; it takes {known}.", field=unknown[0])


def _any(queries: Iterable[Q | None]) -> Q | None:
    """None if one of them is."""
    found = Q()
    for query in queries:
        if query is None:
            return None
        found |= query
    return found


def _all(queries: Iterator[Q]) -> Q:
    found = Q()
    for query in queries:
        found &= query
    return found
