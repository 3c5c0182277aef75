"""What gates would say: of a move, of a promotion, and gates that are not declared yet of the versions there are.
What a deploy would be refused for is told with these: also what it declares of freshness.

Nothing is written here. The answers are those of the doors themselves, which ask the same code.
"""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from access.errors import BadRequest, NotFound
from catalog import limits, recording
from catalog.api import schemas
from catalog.api.aliases import AliasView
from catalog.apikit.view import CatalogView
from catalog.models import Asset, Instance
from catalog.querysets import PROMOTED_FROM
from catalog.reading import checked_asset_id
from catalog.recording import PLAIN, AssetAddress, BranchAddress, Registration
from catalog.wire.bodies import AliasCheckBody, GatesCheckBody, RegistrationBody, checked_rules
from catalog.wire.rendering import Answer
from obproject.promoted import with_origin

Json = dict[str, Any]


class AliasCheck(AliasView):
    @extend_schema(
        operation_id="check_alias_move",
        summary="What the gates would say of a move of an alias; nothing is written",
        request=AliasCheckBody,
        responses=schemas.CheckAnswer,
    )
    def post(self, request: Request, **address: str) -> Answer:
        name, asset = self.alias_name(), self.asset()
        target: str = self.checked(AliasCheckBody).validated_data["instance_id"]
        wish = recording.with_card(PLAIN, asset, name, target)
        judged = recording.judge_move(asset, name, target, wish)
        return Answer({"alias": name, "instance_id": target, **judged.as_json})


class PromotionCheck(CatalogView):
    @extend_schema(
        operation_id="check_promotion",
        summary="What the gates would say of a promotion to this address; nothing is written",
        description="The body is that of the registration, or only `instance_id`, the id of what is to be promoted.",
        request=RegistrationBody,
        responses=schemas.CheckAnswer,
    )
    def post(self, request: Request, **address: str) -> Answer:
        place, kind = self.place(), self.kwargs["kind"]
        perimeter = self.viewer.require(place.perimeter)
        to = BranchAddress(perimeter, place.project, place.key, written=place.written)
        at = AssetAddress(to, kind, checked_asset_id(self.kwargs["asset_id"]))
        if isinstance(request.data, dict) and "instance_id" in request.data:
            what = self._copy()
        else:
            what = self.checked(RegistrationBody, kind=kind).registration()
        uid = str(what.annotations.get(PROMOTED_FROM) or "")
        asset = recording.promoted_to(at) if recording.is_promotion(what.annotations) else None
        if asset is None:
            self.look_elsewhere(place)
            return Answer({"alias": None, "instance_id": uid, **recording.NO_GATES})
        wish = recording.with_card_of_copy(PLAIN, at, what.annotations)
        judged = recording.judge_promotion(asset, what, wish=wish)
        return Answer({"alias": None, "instance_id": uid, **judged.as_json})

    def _copy(self) -> Registration:
        """The version that is to be promoted, as its promotion would register it."""
        uid: str = self.checked(AliasCheckBody).validated_data["instance_id"]
        found = Instance.objects.visible_to(self.viewer).filter(uid=uid)
        source = found.filter(asset__branch__project__perimeter__name=self.place().perimeter).first()
        if source is None:
            raise NotFound(f"There is no instance '{uid}' in this perimeter.", instance=uid)
        if not source.is_ready:
            raise BadRequest(f"{source.ref} is {source.state}; only what is ready is promoted.", instance=uid)
        return _copy_of(source)


def _copy_of(source: Instance) -> Registration:
    """An instance as a promotion would register it."""
    origin = {"branch": source.asset.branch.name, "instance": source.uid, "ref": source.ref}
    annotations = with_origin(source.annotations, **origin, created_at=None, promoter="")
    return Registration(source.asset_kind, annotations=annotations, tags=source.tags, digest=source.digest)


class GatesCheck(CatalogView):
    @extend_schema(
        operation_id="check_gates",
        summary="Whether gates and freshness can be declared so, and what gates would have done; nothing is written",
        request=GatesCheckBody,
        responses=schemas.GatesCheckAnswer,
    )
    def post(self, request: Request, **address: str) -> Answer:
        place = self.place()
        self.viewer.require(place.perimeter)
        said = self.checked(GatesCheckBody).validated_data
        rows = said["definitions"]
        gates, _, _ = checked_rules(rows, said.get("timezone"))
        here = Asset.objects.visible_to(self.viewer).at_place(place).live().with_place().select_related("gates")
        ids = {row["id"] for row, new in zip(rows, gates, strict=True) if new is not None}
        assets = {(asset.kind, asset.asset_id): asset for asset in here.filter(asset_id__in=ids)} if ids else {}
        if not assets:
            self.look_elsewhere(place)
        left, answers = limits.LOOKED_BACK, []
        for row, new in zip(rows, gates, strict=True):
            asset = assets.get((row["kind"], row["id"]))
            present = asset.gates.gates if asset and asset.gates else {}
            differs = new is not None and new != present
            looked = asset is not None and differs and left > 0
            left -= looked
            found = recording.look_back(asset, new) if looked and asset and new else []
            answers.append(
                {
                    "kind": row["kind"],
                    "id": row["id"],
                    "source": row.get("source", ""),
                    "differs": differs,
                    "looked_back": looked,
                    "gates": [one.as_json for one in found],
                }
            )
        return Answer({"definitions": answers})
