"""The v1 API: what the reference protocol asks, and what this catalogue adds. docs/wire.md is the contract."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet, Window
from django.db.models.functions import RowNumber
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.errors import BadRequest, Conflict, NotFound
from access.identity import Viewer, viewer_of
from access.models import Perimeter, Role
from catalog import limits, recording
from catalog.api import answers
from catalog.api.bodies import (
    AliasBody,
    ConfirmationBody,
    ConsumptionBody,
    DeployBody,
    RegistrationBody,
    SpecBody,
    entity_of,
)
from catalog.api.paging import after_id, after_name, before_number, page_size, token_for
from catalog.api.shapes import (
    alias_shape,
    asset_shape,
    consumer_entry,
    instance_shape,
    item_shape,
    move_shape,
    producer_entry,
)
from catalog.entities import Entity
from catalog.filters import Filters
from catalog.models import Alias, AliasMove, Asset, Branch, Consumption, Instance
from catalog.reading import Found, Place, checked_asset_id, find_asset, find_branch, find_instance
from catalog.recording import AssetAddress, BranchAddress, Once, once
from catalog.specs import agreed_spec, check_spec
from obproject.branches import branch_key, check_alias, is_unnamed

Json = dict[str, Any]


class CatalogView(APIView):
    """What the views share: who asks, where, and how a write is done once."""

    @property
    def viewer(self) -> Viewer:
        return viewer_of(self.request)

    @property
    def base(self) -> str:
        return self.request.build_absolute_uri("/").rstrip("/")

    def place(self) -> Place:
        return Place.of(self.kwargs["perimeter"], self.kwargs["project"], self.kwargs["branch"])

    def asset(self) -> Asset:
        return find_asset(self.viewer, self.place(), self.kwargs["kind"], self.kwargs["asset_id"], whole=False)

    def filters(self) -> Filters:
        return Filters.of(self.request.query_params)

    def may_write(self, place: Place, name: str = "") -> Perimeter:
        """The perimeter, if the viewer may write to this branch. A git name sent along must be that of the address."""
        if name and branch_key(name) != place.key:
            raise BadRequest(
                f"The branch name '{name}' has the key '{branch_key(name)}', but the address says '{place.key}'.",
                field="branch_name",
            )
        self.viewer.require(place.perimeter, Role.VIEWER)
        names = [place.key]
        if self.viewer.branch_patterns:  # the name that the branch has beats the one that a client claims
            known = Branch.objects.visible_to(self.viewer).at(place.perimeter, place.project, place.key)
            names.insert(0, known.values_list("git_name", flat=True).first() or name or place.key)
        return self.viewer.require(place.perimeter, Role.EDITOR, names)

    def may_settle(self, scope: Perimeter, instances: QuerySet[Instance]) -> None:
        """Refuse unless the viewer may write to every branch that has any of these instances."""
        if self.viewer.branch_patterns:
            for key, git_name in instances.values_list("asset__branch__key", "asset__branch__git_name").distinct():
                self.viewer.require(scope, Role.EDITOR, [git_name or key, key])

    def checked(self, body: type[serializers.Serializer[Any]], **context: Any) -> Any:
        checked = body(data=self.request.data, context=context)
        checked.is_valid(raise_exception=True)
        return checked

    def once(self, act: Callable[[], tuple[int, Json | None]]) -> Response:
        """Answer what `act` answers; a repeat with the same `Idempotency-Key` gets the first answer again."""
        status, answer = once(self._once(), act)
        return Response(answer, status=status)

    def _once(self) -> Once | None:
        key = self.request.headers.get("Idempotency-Key", "")
        if not key:
            return None
        if len(key) > limits.IDEMPOTENCY_KEY_LENGTH:
            raise BadRequest(
                f"The Idempotency-Key is longer than {limits.IDEMPOTENCY_KEY_LENGTH} characters.",
                field="Idempotency-Key",
            )
        token, user = self.viewer.token, self.viewer.user
        caller = f"token {token.pk}" if token else f"user {user.pk}"
        return Once.of(
            caller=caller, method=self.request.method or "", path=self.request.path, key=key, body=self.request.data
        )

    def check_body_agrees(self, place: Place) -> None:
        """A perimeter, project or branch repeated in the body must be that of the address."""
        said: Any = self.request.data
        for name, right in (("perimeter", place.perimeter), ("project", place.project)):
            if said.get(name) not in (None, right):
                raise BadRequest(f"The {name} in the body is not that of the address.", field=name)
        branch = said.get("branch")
        if branch is not None and (not isinstance(branch, str) or branch_key(branch) != place.key):
            raise BadRequest("The branch in the body is not that of the address.", field="branch")


class AssetList(CatalogView):
    @extend_schema(
        operation_id="list_assets",
        summary="The assets of one kind on a branch, each with its latest instance",
        parameters=[*answers.PAGING, *answers.FILTERS],
        responses=answers.AssetListAnswer,
    )
    def get(self, request: Request, perimeter: str, project: str, branch: str, kind: str) -> Response:
        place = self.place()
        self.viewer.require(place.perimeter)
        size = page_size(request, limits.LIST_PAGE, limits.LIST_PAGE_MOST)
        assets = (
            Asset.objects.visible_to(self.viewer)
            .live()
            .filter(
                branch__project__perimeter__name=place.perimeter,
                branch__project__name=place.project,
                branch__key=place.key,
                kind=kind,
                asset_id__gt=after_name(request),
            )
        )
        filters = self.filters()
        rows = list(assets.matching(filters).with_newest().defer("readme").order_by("asset_id")[: size + 1])
        token = token_for(rows[size - 1].asset_id) if len(rows) > size else None
        items = [item_shape(row, self.base, filters.states) for row in rows[:size]]
        return Response({"items": items, "continuation": token})


class AssetDetail(CatalogView):
    @extend_schema(
        operation_id="summarise_asset",
        summary="An asset: its instances, newest first, and who produced and consumed them",
        parameters=[*answers.PAGING, *answers.FILTERS],
        responses=answers.SummaryAnswer,
    )
    def get(self, request: Request, perimeter: str, project: str, branch: str, kind: str, asset_id: str) -> Response:
        asset, filters = self.asset(), self.filters()
        size = page_size(request, limits.SUMMARY_PAGE, limits.SUMMARY_PAGE_MOST)
        instances = Instance.objects.visible_to(self.viewer).of(asset).matching(filters)
        rows = list(instances.before(before_number(request)).select_related("component").newest_first()[: size + 1])
        token = token_for(str(rows[size - 1].number)) if len(rows) > size else None
        consumptions = Consumption.objects.visible_to(self.viewer).filter(asset=asset).newest_first()
        shown = [Found(asset, row) for row in rows[:size]]
        if asset.newest_id is None and asset.is_declared and self._answers(asset, filters):
            shown = [Found(asset, None)]
        return Response(
            {
                "asset": asset_shape(asset, asset.newest_ready),
                "recent_instances": [instance_shape(found, self.base) for found in shown],
                "continuation": token,
                "recently_produced_by": [
                    producer_entry(row, asset) for row in rows[: min(size, limits.RECENT_ENTITIES)]
                ],
                "recently_consumed_by": [consumer_entry(row, asset) for row in consumptions[: limits.RECENT_ENTITIES]],
            }
        )

    def _answers(self, definition: Asset, filters: Filters) -> bool:
        return Asset.objects.visible_to(self.viewer).filter(pk=definition.pk).matching(filters).exists()

    @extend_schema(
        operation_id="register",
        summary="Register an instance, and with the first one the asset",
        parameters=[answers.IDEMPOTENCY_KEY],
        request=RegistrationBody,
        responses={201: answers.InstanceAnswer},
    )
    def patch(self, request: Request, perimeter: str, project: str, branch: str, kind: str, asset_id: str) -> Response:
        place, name = self.place(), checked_asset_id(asset_id)
        self.viewer.require(place.perimeter, Role.EDITOR)
        body: RegistrationBody = self.checked(RegistrationBody, kind=kind)
        self.check_body_agrees(place)
        git_name = body.validated_data.get("branch_name") or ""
        scope = self.may_write(place, git_name)
        self._may_supersede(scope, body)
        at = AssetAddress(BranchAddress(scope, place.project, place.key, git_name), kind, name)
        return self.once(lambda: (201, instance_shape(self._written(at, body), self.base)))

    def _may_supersede(self, scope: Perimeter, body: RegistrationBody) -> None:
        """A higher attempt fails what the lower ones registered, wherever that is."""
        attempt = body.validated_data.get("attempt")
        if attempt:
            self.may_settle(scope, recording.registered_by(scope, body.entity).filter(attempt__lt=attempt))

    def _written(self, at: AssetAddress, body: RegistrationBody) -> Found:
        actor = self.viewer.actor
        if body.is_declaration:
            asset = recording.declare(
                actor=actor,
                at=at,
                entity=body.entity,
                declaration=body.declaration(),
                config_hash=body.config_hash,
            )
            return Found(asset, None)
        instance = recording.register(actor=actor, at=at, entity=body.entity, what=body.registration())
        return Found(instance.asset, instance)

    @extend_schema(
        operation_id="delete_asset",
        summary="Delete an asset for good",
        parameters=[answers.IDEMPOTENCY_KEY],
        responses={204: None},
    )
    def delete(self, request: Request, perimeter: str, project: str, branch: str, kind: str, asset_id: str) -> Response:
        self.may_write(self.place())
        return self.once(self._deleted)

    def _deleted(self) -> tuple[int, None]:
        recording.delete_asset(actor=self.viewer.actor, asset=self.asset())
        return 204, None


class InstanceDetail(CatalogView):
    def found(self) -> Found:
        return find_instance(self.asset(), self.kwargs["reference"], self.filters().states)

    @extend_schema(
        operation_id="read_instance",
        summary="Read an instance without leaving a trace",
        parameters=[answers.STATE],
        responses=answers.InstanceAnswer,
    )
    def get(self, request: Request, **address: str) -> Response:
        return Response(instance_shape(self.found(), self.base))

    @extend_schema(
        operation_id="consume_instance",
        summary="Read an instance and be recorded as its consumer",
        parameters=[answers.STATE, answers.IDEMPOTENCY_KEY],
        request=ConsumptionBody,
        responses=answers.InstanceAnswer,
    )
    def put(self, request: Request, **address: str) -> Response:
        self.viewer.require(address["perimeter"])
        body = self.checked(ConsumptionBody).validated_data
        return self.once(lambda: (200, instance_shape(self._consumed(body), self.base)))

    def _consumed(self, body: Json) -> Found:
        found, consumer = self.found(), body.get("consumer") or {}
        recording.consume(
            actor=self.viewer.actor,
            asset=found.asset,
            instance=found.instance,
            reference=body.get("reference") or self.kwargs["reference"],
            entity=entity_of(body),
            consumer_project=consumer.get("project", ""),
            write_branch=consumer.get("branch", ""),
        )
        return found


class Confirmations(CatalogView):
    @extend_schema(
        operation_id="confirm",
        summary="Settle what a task attempt registered as pending",
        request=ConfirmationBody,
        responses=answers.ConfirmationAnswer,
    )
    def post(self, request: Request, perimeter: str) -> Response:
        scope = self.viewer.require(perimeter, Role.EDITOR)
        body = self.checked(ConfirmationBody).validated_data
        entity, uids = entity_of(body), body.get("instances") or []
        self.may_settle(scope, self._registered(scope, entity, uids))
        settled = recording.confirm(
            actor=self.viewer.actor,
            perimeter=scope,
            entity=entity,
            attempt=body.get("attempt"),
            state=body["state"],
            reason=body.get("reason", ""),
            uids=uids,
        )
        return Response({"confirmed": [self._line(instance) for instance in settled]})

    def _registered(self, scope: Perimeter, entity: Entity, uids: list[str]) -> QuerySet[Instance]:
        """What the entity registered, or of it only what has these ids; an unknown one is named."""
        mine = recording.registered_by(scope, entity)
        if uids:
            known = set(mine.filter(uid__in=uids).values_list("uid", flat=True))
            if unknown := sorted(set(uids) - known):
                raise NotFound(f"{entity.id} registered no instance '{unknown[0]}'.", instance=unknown[0])
            mine = mine.filter(uid__in=uids)
        return mine

    def _line(self, instance: Instance) -> Json:
        asset = instance.asset
        return {
            "id": instance.uid,
            "ref": instance.ref,
            "state": instance.state,
            "asset": asset.asset_id,
            "kind": asset.kind,
            "project": asset.branch.project.name,
            "branch": asset.branch.key,
        }


def recent_moves(asset: Asset) -> QuerySet[AliasMove]:
    """The last moves of each alias of an asset, newest first."""
    place = Window(RowNumber(), partition_by="name", order_by="-id")
    return asset.alias_moves.annotate(place=place).filter(place__lte=limits.RECENT_MOVES).order_by("-id")


class AliasList(CatalogView):
    @extend_schema(operation_id="list_aliases", summary="The aliases of an asset", responses=answers.AliasListAnswer)
    def get(self, request: Request, **address: str) -> Response:
        asset = self.asset()
        recent: dict[str, list[AliasMove]] = {name: [] for name in asset.alias_index}
        for move in recent_moves(asset).filter(name__in=recent):
            recent[move.name].append(move)
        aliases = asset.aliases.filter(name__in=recent).order_by("name")
        return Response({"aliases": [alias_shape(alias, asset, recent[alias.name]) for alias in aliases]})


class AliasDetail(CatalogView):
    def name(self) -> str:
        try:
            return check_alias(self.kwargs["alias"])
        except ValueError as error:
            raise BadRequest(str(error), alias=self.kwargs["alias"]) from None

    def answer(self, asset: Asset, alias: Alias) -> Json:
        return {"alias": alias_shape(alias, asset, recent_moves(asset).filter(name=alias.name))}

    @extend_schema(operation_id="read_alias", summary="Where an alias points", responses=answers.AliasAnswer)
    def get(self, request: Request, **address: str) -> Response:
        asset, name = self.asset(), self.name()
        alias = asset.aliases.filter(name=name).first()
        if alias is None:
            raise NotFound(f"The asset '{asset.asset_id}' has no alias '{name}'.", alias=name)
        return Response(self.answer(asset, alias))

    @extend_schema(
        operation_id="move_alias",
        summary="Set or move an alias, if wanted only from an expected place",
        parameters=[answers.IDEMPOTENCY_KEY],
        request=AliasBody,
        responses=answers.AliasAnswer,
    )
    def put(self, request: Request, **address: str) -> Response:
        name = self.name()
        self.may_write(self.place())
        body = self.checked(AliasBody).validated_data
        return self._guarded(name, lambda: self.once(lambda: (200, self._moved(name, body))))

    def _moved(self, name: str, body: Json) -> Json:
        alias = recording.set_alias(
            actor=self.viewer.actor,
            asset=self.asset(),
            name=name,
            target_uid=body["instance_id"],
            entity=entity_of(body),
            expected=body.get("expected_instance_id", recording.ANY),
        )
        return self.answer(self.asset(), alias)

    @extend_schema(
        operation_id="delete_alias",
        summary="Delete an alias; its history stays",
        parameters=[
            OpenApiParameter("expected_instance_id", str, description="Only if it points there."),
            answers.IDEMPOTENCY_KEY,
        ],
        responses={204: None},
    )
    def delete(self, request: Request, **address: str) -> Response:
        name = self.name()
        self.may_write(self.place())
        return self._guarded(name, lambda: self.once(lambda: self._deleted(name)))

    def _deleted(self, name: str) -> tuple[int, None]:
        recording.delete_alias(
            actor=self.viewer.actor,
            asset=self.asset(),
            name=name,
            entity=Entity("user", self.viewer.user.get_username()),
            expected=self.request.query_params.get("expected_instance_id", recording.ANY),
        )
        return 204, None

    def _guarded(self, name: str, write: Callable[[], Response]) -> Response:
        """Do a compare-and-set; a refusal carries the alias as it is."""
        try:
            return write()
        except recording.AliasMoved as conflict:
            asset = self.asset()
            alias = asset.aliases.filter(name=name).first()
            current = self.answer(asset, alias)["alias"] if alias else None
            raise Conflict(conflict.message, current=current) from None


class AliasHistory(CatalogView):
    @extend_schema(
        operation_id="alias_history",
        summary="Every move of every alias of an asset, newest first",
        parameters=answers.PAGING,
        responses=answers.AliasHistoryAnswer,
    )
    def get(self, request: Request, **address: str) -> Response:
        asset, size = self.asset(), page_size(request, limits.LIST_PAGE, limits.LIST_PAGE_MOST)
        moves = asset.alias_moves.order_by("-id")
        if last := after_id(request):
            moves = moves.filter(id__lt=last)
        rows = list(moves[: size + 1])
        token = token_for(str(rows[size - 1].pk)) if len(rows) > size else None
        return Response({"entries": [move_shape(move) for move in rows[:size]], "continuation": token})


class LatestSpec(CatalogView):
    @extend_schema(
        operation_id="latest_spec",
        summary="The spec of a branch, its lists in agreement with the catalogue",
        responses={200: answers.SpecAnswer},
    )
    def get(self, request: Request, **address: str) -> Response:
        place = self.place()
        spec = agreed_spec(find_branch(self.viewer, place))
        if spec is None:
            raise NotFound(f"No spec is posted for {place}.", branch=place.key)
        return Response(spec)


class Specs(CatalogView):
    @extend_schema(
        operation_id="delete_spec",
        summary="Withdraw the spec of a branch",
        parameters=[answers.IDEMPOTENCY_KEY],
        responses={204: None},
    )
    def delete(self, request: Request, **address: str) -> Response:
        self.may_write(self.place())
        return self.once(self._deleted)

    def _deleted(self) -> tuple[int, None]:
        recording.delete_spec(actor=self.viewer.actor, branch=find_branch(self.viewer, self.place()))
        return 204, None


class PostSpec(CatalogView):
    @extend_schema(
        operation_id="post_spec",
        summary="Post a spec, the newest of its branch",
        parameters=[answers.IDEMPOTENCY_KEY],
        request=SpecBody,
        responses=answers.PostedSpecAnswer,
    )
    def post(self, request: Request, perimeter: str) -> Response:
        self.viewer.require(perimeter, Role.EDITOR)
        body = self.checked(SpecBody).validated_data
        if body.get("perimeter", perimeter) != perimeter:
            raise BadRequest("The perimeter in the body is not that of the address.", field="perimeter")
        place, spec = Place.of(perimeter, body["project"], body["branch"]), check_spec(body["spec"])
        at = BranchAddress(self.may_write(place, body["branch"]), place.project, place.key)
        return self.once(lambda: (200, self._posted(at, body, spec)))

    def _posted(self, at: BranchAddress, body: Json, spec: Json) -> Json:
        viewer, version_id = self.viewer, body.get("version_id") or ""
        branch = recording.post_spec(
            actor=viewer.actor,
            at=at,
            entity=Entity("user", viewer.user.get_username()),
            version_id=version_id,
            spec=spec,
        )
        answer = {"perimeter": at.perimeter.name, "project": at.project, "branch": at.key, "version_id": version_id}
        return answer | {"branch_name": branch.name} | _warning_of(branch, body["branch"])


class Deploys(CatalogView):
    @extend_schema(
        operation_id="deploy",
        summary="Declare all that a project declares on a branch, and post its spec, at once",
        parameters=[answers.IDEMPOTENCY_KEY],
        request=DeployBody,
        responses=answers.DeployAnswer,
    )
    def post(self, request: Request, **address: str) -> Response:
        place = self.place()
        self.viewer.require(place.perimeter, Role.EDITOR)
        body: DeployBody = self.checked(DeployBody)
        git_name = body.validated_data.get("branch_name", "")
        at = BranchAddress(self.may_write(place, git_name), place.project, place.key, git_name)
        return self.once(lambda: (200, self._deployed(at, body)))

    def _deployed(self, at: BranchAddress, body: DeployBody) -> Json:
        said = body.validated_data
        branch, outcome = recording.deploy(
            actor=self.viewer.actor,
            at=at,
            entity=entity_of(said),
            version_id=said["version_id"],
            spec=check_spec(said["spec"]),
            definitions=body.declarations(),
        )
        return {
            "version_id": said["version_id"],
            "branch": branch.key,
            "branch_name": branch.name,
            "created": outcome.created,
            "updated": outcome.updated,
            "unchanged": outcome.unchanged,
            "overridden": outcome.overridden,
            "not_declared": outcome.not_declared,
            "url": f"{self.base}/{at.perimeter.name}/{at.project}/{at.key}",
        }


def _warning_of(branch: Branch, name: str) -> Json:
    """Public deploy tools change names on their way, so another name for the branch's key is told and not refused."""
    if not branch.git_name or name == branch.git_name or is_unnamed(name):
        return {}
    return {"warning": f"The key '{branch.key}' belongs to the branch '{branch.name}'; '{name}' shares it."}


class Unknown(CatalogView):
    """Every other address below /v1."""

    @extend_schema(exclude=True)
    def get(self, request: Request, **address: str) -> Response:
        raise NotFound("There is nothing at this address; /v1/docs lists what there is.")

    post = put = patch = delete = get
