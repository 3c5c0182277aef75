"""Bodies of requests: type and size are checked here, so that the writes need not."""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.utils.functional import cached_property
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.errors import BadRequest
from catalog import limits
from catalog.entities import Entity
from catalog.freshness import declared as freshness
from catalog.gates import declared as gates
from catalog.recording import Declaration, Registration, Told, is_promotion
from catalog.states import STATES_TO_REGISTER, STATES_TO_SETTLE, Kind, State
from catalog.wire.parsing import KEEP_ELSEWHERE
from catalog.wire.taken import Text, taken
from catalog.wire.told import digest_in, digests_in, told_by
from obproject.branches import check_alias, check_asset_id, check_branch, check_project
from obproject.metric_rules import BETTER, METRIC_KEYS, check_left_out, check_metric_name, check_noise, check_unit
from obproject.roles import check_role

Json = dict[str, Any]
PROJECT_FILE = "obproject.toml"


Checked = TypeVar("Checked")


def _checked(check: Callable[[Any], Checked], value: Any) -> Checked:
    """What a check of the flow side returns, whose errors are parts of sentences."""
    try:
        return check(value)
    except ValueError as error:
        raise serializers.ValidationError(f"{error}.") from None


def check_key(key: str) -> None:
    """Check the key of an annotation, a property or a tag: filters and pages must be able to name it."""
    if not key:
        raise serializers.ValidationError("has an empty key.")
    if len(key) > limits.KEY_LENGTH:
        longest = limits.KEY_LENGTH
        raise serializers.ValidationError(f"has a key longer than {longest} characters, which begins '{key[:40]}'.")


class Texts(serializers.DictField):
    """An object of strings."""

    def __init__(self, most: int, **options: Any) -> None:
        super().__init__(child=Text(max_length=most, allow_blank=True), **options)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        texts: dict[str, str] = super().to_internal_value(data)
        for key in texts:
            check_key(key)
        return texts


class WholeNumber(serializers.IntegerField):
    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            raise serializers.ValidationError("must be a whole number.")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """True or false, and nothing that could mean either."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("must be true or false.")
        return data


class Choice(serializers.ChoiceField):
    """One of a few words, which a refusal names."""

    def __init__(self, choices: Sequence[str], **options: Any) -> None:
        refusal = f"{{input}} is none of {', '.join(choices)}."
        super().__init__(choices=choices, error_messages={"invalid_choice": refusal}, **options)


@extend_schema_field({"type": "object", "additionalProperties": True})
class Annotations(serializers.Field):
    """An object of values of any JSON type."""

    def to_representation(self, value: Json) -> Json:
        return value

    def to_internal_value(self, data: Any) -> Json:
        if not isinstance(data, dict):
            raise serializers.ValidationError("must be an object.")
        if len(data) > limits.ANNOTATIONS:
            raise serializers.ValidationError(f"has {len(data)} members; at most {limits.ANNOTATIONS} are allowed.")
        for key, value in data.items():
            check_key(key)
            if not isinstance(value, str | dict | list):
                continue  # what is read of a number is short
            size = len((value if isinstance(value, str) else json.dumps(value)).encode())
            if size > limits.ANNOTATION_BYTES:
                most = limits.ANNOTATION_BYTES
                raise serializers.ValidationError(f"'{key}' has {size} bytes; at most {most}. {KEEP_ELSEWHERE}")
        return data


@extend_schema_field(OpenApiTypes.ANY)
class Anything(serializers.Field):
    """Any JSON value, null too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_null=True, **options)

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class BranchName(Text):
    """A git name as written."""

    def to_internal_value(self, data: Any) -> str:
        return _checked(check_branch, super().to_internal_value(data))


class AliasName(Text):
    """Without its `@`."""

    def to_internal_value(self, data: Any) -> str:
        return _checked(check_alias, super().to_internal_value(data))


class ProjectName(Text):
    def to_internal_value(self, data: Any) -> str:
        return _checked(check_project, super().to_internal_value(data))


class ClientId(Text):
    """The id that a client gives to one write of its own: the letter of its kind and 20 hexadecimal digits."""

    def __init__(self, letter: str, **options: Any) -> None:
        super().__init__(required=False, allow_null=True, **options)
        self.letter = letter

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not re.fullmatch(rf"{self.letter}_[0-9a-f]{{20}}", text):
            raise serializers.ValidationError(f"must be '{self.letter}_' and 20 hexadecimal digits in lower case.")
        return text


class Body(serializers.Serializer[Any]):
    """An object; unknown members are passed over, as newer clients may send them."""

    taken: Json | None = None
    """What a body says in which there is nothing odd, see `catalog.wire.taken`; else the serializer checks it."""

    def is_valid(self, *, raise_exception: bool = False) -> bool:
        self.taken = taken(self, self.initial_data)
        return self.taken is not None or super().is_valid(raise_exception=raise_exception)

    @property
    def validated_data(self) -> Any:
        return super().validated_data if self.taken is None else self.taken

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError({"non_field_errors": ["must be a JSON object."]})
        return super().to_internal_value(data)


class VisibleText(Text):
    """Text with at least one visible character."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not text.strip():
            self.fail("blank")
        return text


class EntityRefBody(Body):
    entity_kind = VisibleText(max_length=limits.ENTITY_KIND_LENGTH)
    entity_id = VisibleText(max_length=limits.ENTITY_ID_LENGTH)


class TagBody(Body):
    key = Text(max_length=limits.KEY_LENGTH)
    value = Text(max_length=limits.TAG_LENGTH, allow_blank=True)


class DatastoreBody(Body):
    type = Text(max_length=16)
    root = Text(max_length=limits.ROOT_LENGTH)  # type: ignore[assignment]
    cards = Text(
        max_length=limits.ROOT_LENGTH,
        required=False,
        allow_null=True,
        help_text="The root below which the task's cards are, if it is neither `root` nor `mf.cards` below it.",
    )


class RunMembers(Body):
    """What registrations and consumptions may say of the run that makes them; read by `catalog.wire.told`."""

    run = Anything(
        required=False,
        help_text="Facts of the run, with its first write: started_at, user, metaflow_version, python_version, "
        "repository, commit, dirty, git_branch, parameters, configs, left_out, origin_run, tags, graph.",
    )
    position = Anything(required=False, help_text="Where in its run the task is: step, foreach, iteration.")
    session = Anything(required=False, help_text="Of an entity that is no task: 's_' and 20 hexadecimal digits.")
    attempt = WholeNumber(min_value=0, max_value=limits.ATTEMPTS, required=False, allow_null=True)

    @property
    def entity(self) -> Entity:
        return entity_of(self.validated_data)

    @cached_property
    def told(self) -> Told:
        return told_by(self.validated_data, self.entity)


class RegistrationBody(RunMembers):
    """Either `data_asset_kind` or `model_asset_kind`, whichever the address says."""

    entity_ref = EntityRefBody()
    data_asset_kind = Text(max_length=limits.ASSET_KIND_LENGTH, required=False, allow_null=True)
    model_asset_kind = Text(max_length=limits.ASSET_KIND_LENGTH, required=False, allow_null=True)
    description = Text(max_length=limits.DESCRIPTION_LENGTH, required=False, allow_blank=True, allow_null=True)
    # no TagBody(many=True, allow_null=True), which lets a tag be null as well
    tags: serializers.ListSerializer[Any] = serializers.ListSerializer(child=TagBody(), required=False, allow_null=True)
    blobs = serializers.ListField(child=Anything(), max_length=limits.BLOBS, required=False, allow_null=True)
    annotations = Annotations(required=False, allow_null=True)
    state = Choice(STATES_TO_REGISTER, default=State.READY.value)
    digest = Anything(required=False, help_text="The content address of what the blobs refer to.")
    datastore = DatastoreBody(required=False, allow_null=True)
    branch_name = BranchName(required=False, allow_null=True)
    id = ClientId("i", help_text="Becomes the id of the instance; sent again, it registers nothing.")

    def validate_tags(self, tags: list[Json] | None) -> dict[str, str]:
        pairs = {tag["key"]: tag["value"] for tag in tags or []}
        if len(pairs) != len(tags or []):
            twice = next(key for key, count in Counter(tag["key"] for tag in tags or []).items() if count > 1)
            raise serializers.ValidationError(f"name the key '{twice[:40]}' twice: a key has one value.")
        if len(pairs) > limits.TAGS:
            raise serializers.ValidationError(f"are {len(pairs)}; at most {limits.TAGS} are allowed.")
        return pairs

    def validate(self, body: Json) -> Json:
        wanted, other = "data_asset_kind", "model_asset_kind"
        if self.context["kind"] == Kind.MODELS:
            wanted, other = other, wanted
        if not body.get(wanted):
            raise serializers.ValidationError({wanted: "is required here."})
        if body.get(other):
            raise serializers.ValidationError({other: f"does not fit an address below {self.context['kind']}."})
        return body | {"asset_kind": body[wanted]}

    @property
    def is_declaration(self) -> bool:
        """Whether the vendor's deploy tool declares an asset with this, instead of registering an instance."""
        annotations = self.validated_data.get("annotations") or {}
        return "_config_hash" in annotations and self.entity.id == "deployer" and not is_promotion(annotations)

    @property
    def config_hash(self) -> str:
        return str(self.validated_data["annotations"]["_config_hash"])[:128]

    def declaration(self) -> Declaration:
        body = self.validated_data
        properties = {key: value for key, value in body["annotations"].items() if key != "_config_hash"}
        return Declaration(
            declared_properties=properties,
            declared_tags=body.get("tags") or {},
            declared_blobs=body.get("blobs") or [],
            asset_kind=body["asset_kind"],
            description=body.get("description") or None,
        )

    def registration(self) -> Registration:
        body = self.validated_data
        datastore = body.get("datastore") or {}
        return Registration(
            asset_kind=body["asset_kind"],
            state=body["state"],
            description=body.get("description") or "",
            annotations=body.get("annotations") or {},
            tags=body.get("tags") or {},
            blobs=body.get("blobs") or [],
            attempt=body.get("attempt"),
            digest=digest_in(body.get("digest"))[0],
            datastore_type=datastore.get("type", ""),
            datastore_root=datastore.get("root", ""),
            datastore_cards=datastore.get("cards"),
        )


class ConsumerBody(Body):
    project = ProjectName(required=False)
    branch = BranchName(required=False)


class Role(Text):
    """A lower-case word; none and `input` are the same."""

    def to_internal_value(self, data: Any) -> str | None:  # type: ignore[override]
        return _checked(check_role, super().to_internal_value(data))


class ConsumptionBody(RunMembers):
    entity_ref = EntityRefBody()
    role = Role(required=False, allow_null=True, help_text="What it is read for: `baseline`, `evaluation`, …")
    consumer = ConsumerBody(required=False, allow_null=True)
    reference = Text(
        max_length=256, required=False, help_text="What was asked for, where the address has the id that it led to."
    )
    id = ClientId("c", help_text="The id of the consumption; sent again, it records nothing.")


class ConfirmationBody(Body):
    entity_ref = EntityRefBody()
    attempt = WholeNumber(min_value=0, max_value=limits.ATTEMPTS, required=False, allow_null=True)
    state = Choice(STATES_TO_SETTLE)
    reason = Text(max_length=limits.REASON_LENGTH, required=False, allow_blank=True)
    instances = serializers.ListField(child=Text(max_length=32), max_length=10_000, required=False)
    digests = Anything(required=False, help_text="The digests of the artifacts behind the instances, by their ids.")
    run_goes_on = Flag(
        required=False,
        help_text="With `failed`: the run goes on with what the task left, as under `@catch`, so what it read counts.",
    )

    @property
    def known_digests(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """The digests that make sense, by the id of the instance, and notes about the others."""
        return digests_in(self.validated_data.get("digests"))


class AliasBody(Body):
    entity_ref = EntityRefBody()
    instance_id = Text(max_length=64)
    expected_instance_id = Text(max_length=64, required=False, allow_null=True)
    comment = Text(max_length=limits.COMMENT_LENGTH, required=False, allow_blank=True, help_text="Why; it is kept.")
    id = ClientId("a", help_text="The id of the move; sent again, it moves nothing.")


class AliasCheckBody(Body):
    """A move that is only asked about."""

    instance_id = Text(max_length=64)


class GatesCheckEntry(Body):
    """What a definition declares of gates, and of freshness."""

    kind = Choice(Kind.values)
    id = Text(max_length=128)
    source = Text(max_length=limits.SOURCE_LENGTH, required=False, allow_blank=True)  # type: ignore[assignment]
    gates = Anything(required=False, help_text="As in a deploy.")
    freshness = Anything(required=False, help_text="As in a deploy.")

    def validate_id(self, asset_id: str) -> str:
        return _checked(check_asset_id, asset_id)


class GatesCheckBody(Body):
    definitions = GatesCheckEntry(many=True)
    timezone = Anything(required=False, help_text="As in a deploy.")

    def validate_definitions(self, rows: list[Json]) -> list[Json]:
        if len(rows) > limits.DEFINITIONS:
            raise serializers.ValidationError(f"are {len(rows)}; at most {limits.DEFINITIONS} are allowed.")
        return rows


class DeprecationBody(Body):
    entity_ref = EntityRefBody(required=False)
    reason = VisibleText(max_length=limits.REASON_LENGTH)
    id = ClientId("w", help_text="The id of the event; sent again, it changes nothing.")


class NormalBody(Body):
    """An asset has changed its ways."""

    since = Text(max_length=64, required=False, allow_null=True, help_text="What is older is forgotten; now, if null.")
    reason = Text(max_length=limits.REASON_LENGTH, required=False, allow_blank=True)


class DeprecationUndoing(Body):
    """The query parameters of one that is undone."""

    id = ClientId("w")


class AliasDeletion(Body):
    """The query parameters of a deletion."""

    id = ClientId("a")


class RequestBody(Body):
    """A move of an alias, or, without one, a promotion into the branch, for which approvals are asked."""

    alias = AliasName(max_length=128, required=False, allow_null=True, help_text="Null: a promotion into the branch.")
    instance_id = Text(max_length=64, help_text="To move to; of a promotion, what is to be copied.")
    expected_instance_id = Text(max_length=64, required=False, allow_null=True)
    comment = Text(max_length=limits.COMMENT_LENGTH, required=False, allow_blank=True)


class AssetDeletion(Body):
    id = ClientId("d")


class RecoveryBody(Body):
    id = ClientId("r", help_text="The id of the recovery; sent again, it recovers nothing.")


class SpecBody(Body):
    """The record of the reference protocol."""

    perimeter = Text(max_length=128, required=False)
    project = Text(max_length=128)
    branch = Text(max_length=255)
    version_id = Text(max_length=limits.VERSION_ID_LENGTH, required=False, allow_blank=True, allow_null=True)
    spec = Anything(help_text="Free, but for its lists `data` and `models`.")


class Noise(serializers.FloatField):
    """How large a change is that says nothing."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError("must be a number.")
        return _checked(check_noise, data)


class MetricBody(Body):
    """One metric that an asset declares. What is not said of it follows from its name."""

    name = Text(max_length=limits.KEY_LENGTH)
    better = Choice(BETTER, required=False, help_text="Which way it is better.")
    headline = Flag(required=False, help_text="Whether it is shown first.")
    noise = Noise(required=False, help_text="The size of a change that says nothing: a finite number above 0.")
    unit = Text(max_length=limits.UNIT_LENGTH, required=False, help_text="What stands behind its values.")

    def validate_name(self, name: str) -> str:
        return _checked(check_metric_name, name)

    def validate_unit(self, unit: str) -> str:
        return _checked(check_unit, unit)

    def validate(self, body: Json) -> Json:
        """As it is kept: always the same for the same declaration."""
        return {name: body[name] for name in ("name", *METRIC_KEYS) if body.get(name, False) is not False}


class LeftOut(Text):
    """A name, or the beginning of names with a `*` behind it."""

    def to_internal_value(self, data: Any) -> str:
        return _checked(check_left_out, super().to_internal_value(data))


class DefinitionBody(Body):
    kind = Choice(Kind.values)
    id = Text(max_length=128)
    name = Text(max_length=limits.NAME_LENGTH)
    description = Text(max_length=limits.DESCRIPTION_LENGTH, required=False, allow_blank=True)
    properties = Texts(limits.ANNOTATION_BYTES, required=False)
    tags = Texts(limits.TAG_LENGTH, required=False)
    asset_kind = Text(max_length=limits.ASSET_KIND_LENGTH, required=False, allow_blank=True)
    blobs = serializers.ListField(child=Anything(), max_length=limits.BLOBS, required=False)
    icon = Text(max_length=limits.ICON_LENGTH, required=False, allow_blank=True)
    readme = Text(max_length=limits.README_LENGTH, required=False, allow_blank=True)
    source = Text(max_length=limits.SOURCE_LENGTH, required=False, allow_blank=True)  # type: ignore[assignment]
    metrics = MetricBody(many=True, required=False, help_text="In the order in which they are shown.")
    compare_ignore = serializers.ListField(
        child=LeftOut(max_length=limits.KEY_LENGTH),
        max_length=limits.NOT_COMPARED,
        required=False,
        help_text="Names of what comparisons leave out, or beginnings of names with a `*` behind them.",
    )
    gates = Anything(
        required=False,
        help_text="By the name of an alias, `*` or `into branch`: an object of require, warn, approvals, approvers. "
        "Empty: none are left. Left out or null: those that were declared before stay.",
    )
    freshness = Anything(
        required=False,
        help_text="How often new versions are expected: an object of every or cron, timezone, grace, except, at, off. "
        "Empty: nothing is declared any more. Left out or null: what was declared before stays.",
    )

    def validate_metrics(self, metrics: list[Json]) -> list[Json]:
        if len(metrics) > limits.METRICS:
            raise serializers.ValidationError(f"are {len(metrics)}; at most {limits.METRICS} are allowed.")
        counted = Counter(metric["name"] for metric in metrics)
        if twice := next((name for name, count in counted.items() if count > 1), None):
            raise serializers.ValidationError(f"name '{twice[:40]}' twice.")
        return metrics

    def validate_id(self, asset_id: str) -> str:
        return _checked(check_asset_id, asset_id)


class DeployBody(Body):
    entity_ref = EntityRefBody()
    branch_name = BranchName(required=False)
    version_id = Text(max_length=limits.VERSION_ID_LENGTH)
    spec = Anything(help_text="Free, but for its lists `data` and `models`.")
    definitions = DefinitionBody(many=True)
    timezone = Anything(
        required=False,
        help_text="Where the days of the project begin, such as `Europe/Berlin`; that of main and master counts. "
        "Empty: in UTC. Left out or null: as it was.",
    )

    def declarations(self) -> tuple[dict[tuple[str, str], Declaration], str | None]:
        """What is declared of each asset, and the time zone. Raises BadRequest with all that is wrong with gates,
        freshness and time zone."""
        rows = self.validated_data["definitions"]
        gates, freshness, timezone = checked_rules(rows, self.validated_data.get("timezone"))
        found = zip(rows, gates, freshness, strict=True)
        return {(row["kind"], row["id"]): _declaration_of(row, mine, how) for row, mine, how in found}, timezone

    def validate_definitions(self, rows: list[Json]) -> list[Json]:
        if len(rows) > limits.DEFINITIONS:
            raise serializers.ValidationError(f"are {len(rows)}; at most {limits.DEFINITIONS} are allowed.")
        names = [f"{row['kind']}/{row['id']}" for row in rows]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise serializers.ValidationError(f"name these twice: {', '.join(twice)}.")
        return rows


def checked_rules(
    rows: Sequence[Json], timezone: Any = None
) -> tuple[list[Json | None], list[Json | None], str | None]:
    """The gates and the freshness of definitions as they are kept, and the time zone; None: it does not speak of that.

    Raises BadRequest with all problems of all of them, each with its place."""
    wrong = _Problems()
    gates = [wrong.found_in(row, "gates", wrong.gates) for row in rows]
    freshness = [wrong.found_in(row, "freshness", wrong.freshness) for row in rows]
    zone = None if timezone is None else wrong.timezone(timezone)
    wrong.refuse()
    return gates, freshness, zone


class _Problems:
    """All that is wrong with what a project declares of gates, freshness and its time zone."""

    def __init__(self) -> None:
        self._problems: list[Json] = []
        self._sentences: list[str] = []

    def found_in(self, row: Json, name: str, check: Callable[[Any, str], Json]) -> Json | None:
        said, source = row.get(name), row.get("source") or f"{row['kind']}/{row['id']}"
        return None if said is None else check(said, source)

    def gates(self, said: Any, source: str) -> Json:
        try:
            return gates.checked(said, source)
        except gates.GateProblems as error:
            self._problems += [{"file": source, **problem.as_json()} for problem in error.problems]
            self._sentences.append(str(error))
        return {}

    def freshness(self, said: Any, source: str) -> Json:
        try:
            return freshness.checked(said)
        except freshness.FreshnessProblems as error:
            for problem in error.problems:
                self._note(source, problem.key, problem.message)
        return {}

    def timezone(self, said: Any) -> str:
        try:
            return str(freshness.checked({"timezone": said})["timezone"]) if said != "" else ""
        except freshness.FreshnessProblems as error:
            self._note(PROJECT_FILE, "timezone", error.problems[0].message)
        return ""

    def _note(self, file: str, key: str, message: str) -> None:
        nowhere: Json = {"rule": None, "column": None}
        self._problems.append({"file": file, "key": key, **nowhere, "message": message, "expected": []})
        self._sentences.append(f"{file}: {key}: {message}")

    def refuse(self) -> None:
        """Raise BadRequest if there is any."""
        if self._problems:
            first = {name: value for name, value in self._problems[0].items() if name != "message"}
            raise BadRequest("\n".join(self._sentences), **first, problems=self._problems)


def _declaration_of(row: Json, gates: Json | None, freshness: Json | None) -> Declaration:
    return Declaration(
        declared_properties=row.get("properties", {}),
        declared_tags=row.get("tags", {}),
        declared_blobs=row.get("blobs", []),
        asset_kind=row.get("asset_kind", ""),
        name=row["name"],
        description=row.get("description", ""),
        icon=row.get("icon", ""),
        readme=row.get("readme", ""),
        source=row.get("source", ""),
        declared_metrics=row.get("metrics"),
        not_compared=row.get("compare_ignore"),
        gates=gates,
        declared_freshness=freshness,
    )


def entity_of(body: Json) -> Entity:
    return Entity(body["entity_ref"]["entity_kind"], body["entity_ref"]["entity_id"])
