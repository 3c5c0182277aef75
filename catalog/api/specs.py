"""Declarations of a project on a branch: specs of the reference protocol, and whole deploys."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from access.errors import BadRequest, NotFound
from access.models import Role
from catalog import recording
from catalog.addresses import branch_path
from catalog.api import schemas
from catalog.apikit.view import CatalogView
from catalog.entities import Entity
from catalog.models import Branch
from catalog.reading import Place, find_branch
from catalog.recording import BranchAddress, Declaration
from catalog.specs import agreed_spec, check_spec
from catalog.unchanged import ASSETS_OF_BRANCH, BRANCH, unless_unchanged
from catalog.wire.bodies import (
    DeployBody,
    SpecBody,
    entity_of,
)
from catalog.wire.rendering import Answer
from obproject.branches import is_unnamed

Json = dict[str, Any]


class LatestSpec(CatalogView):
    @extend_schema(
        operation_id="latest_spec",
        summary="The spec of a branch, its lists in agreement with the catalogue",
        responses={200: schemas.SpecAnswer},
    )
    @unless_unchanged(BRANCH | ASSETS_OF_BRANCH)
    def get(self, request: Request, **address: str) -> Answer:
        place = self.place()
        branch = find_branch(self.viewer, place)
        spec = agreed_spec(branch)
        if spec is None:
            raise NotFound(f"No spec is posted for {place.project}/{branch.name}.", branch=branch.key)
        return Answer(spec)


class Specs(CatalogView):
    @extend_schema(
        operation_id="delete_spec",
        summary="Withdraw the spec of a branch",
        parameters=[schemas.IDEMPOTENCY_KEY],
        responses={204: None},
    )
    def delete(self, request: Request, **address: str) -> Answer:
        self.may_write(self.place())
        return self.once(self._deleted)

    def _deleted(self) -> tuple[int, None]:
        recording.delete_spec(actor=self.viewer.actor, branch=find_branch(self.viewer, self.place()))
        return 204, None


class PostSpec(CatalogView):
    @extend_schema(
        operation_id="post_spec",
        summary="Post a spec, the newest of its branch",
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=SpecBody,
        responses=schemas.PostedSpecAnswer,
    )
    def post(self, request: Request, perimeter: str) -> Answer:
        self.viewer.require(perimeter, Role.EDITOR)
        body = self.checked(SpecBody).validated_data
        if body.get("perimeter", perimeter) != perimeter:
            raise BadRequest("The perimeter in the body is not that of the address. Leave it out.", field="perimeter")
        place, spec = self.placed(Place.of(perimeter, body["project"], body["branch"])), check_spec(body["spec"])
        scope = self.may_write(place, body["branch"])
        at = BranchAddress(scope, place.project, place.key, written=body["branch"])
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
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=DeployBody,
        responses=schemas.DeployAnswer,
    )
    def post(self, request: Request, **address: str) -> Answer:
        place = self.place()
        self.viewer.require(place.perimeter, Role.EDITOR)
        body: DeployBody = self.checked(DeployBody)
        git_name = body.validated_data.get("branch_name", "")
        at = self.to_write(place, git_name)
        definitions, timezone = body.declarations()
        return self.once(lambda: (200, self._deployed(at, body, definitions, timezone)))

    def _deployed(
        self,
        at: BranchAddress,
        body: DeployBody,
        definitions: dict[tuple[str, str], Declaration],
        timezone: str | None,
    ) -> Json:
        said = body.validated_data
        branch, outcome = recording.deploy(
            actor=self.viewer.actor,
            at=at,
            entity=entity_of(said),
            version_id=said["version_id"],
            spec=check_spec(said["spec"]),
            definitions=definitions,
            zone=timezone,
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
            "gated": outcome.gated,
            "timezone": branch.project.timezone or "UTC",
            "url": self.base + branch_path(at.perimeter.name, at.project, at.key),
        }


def _warning_of(branch: Branch, name: str) -> Json:
    """A warning if the posted name is not the branch's own; no error, as public deploy tools change names."""
    if not branch.git_name or name == branch.git_name or is_unnamed(name):
        return {}
    return {"warning": f"The key '{branch.key}' belongs to the branch '{branch.name}'; '{name}' shares it."}
