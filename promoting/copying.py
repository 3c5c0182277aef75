"""Promoting a version to another branch: its registration is copied, as `promote_assets` of the client does it."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from access.errors import BadRequest, Conflict
from access.identity import Viewer
from catalog.entities import Entity
from catalog.models import Asset, Branch, Instance
from catalog.pagekit.editing import entity_of
from catalog.recording import AssetAddress, BranchAddress, Registration, Wish, register
from catalog.recording.looked_up import promoted_to, with_card_of_copy
from catalog.recording.places import locked
from catalog.states import State
from catalog.wire.shapes import time_shape
from obproject.journal import Operation, id_from
from obproject.promoted import MOST_TAKES, copy_key, with_origin


class TargetMoved(Conflict):
    """On the target branch another version is the newest than was expected."""


@dataclass(frozen=True)
class Copying:
    """A ready version that is to be promoted to a branch of its project."""

    viewer: Viewer
    asset: Asset
    instance: Instance
    branch: Branch

    @property
    def at(self) -> AssetAddress:
        branch, project = self.branch, self.branch.project
        to = BranchAddress(project.perimeter, project.name, branch.key, branch.git_name, branch.name)
        return AssetAddress(to, self.asset.kind, self.asset.asset_id)

    @property
    def what(self) -> Registration:
        """What the copy says: all that its source says, and where it comes from."""
        source = self.instance
        annotations = with_origin(
            source.annotations,
            branch=self.asset.branch.name,
            instance=source.uid,
            ref=source.ref,
            created_at=time_shape(source.created_at),
            promoter=entity_of(self.viewer).id,
        )
        return Registration(
            asset_kind=source.asset_kind,
            description=source.description,
            annotations=annotations,
            tags=source.tags,
            blobs=source.blobs,
            digest=source.digest,
            datastore_type=source.datastore_type,
            datastore_root=source.datastore_root,
            datastore_cards=source.datastore_cards,
        )

    @property
    def target(self) -> Asset:
        """The asset at the target, or one as it would be made there."""
        found = promoted_to(self.at)
        assert found is not None  # the branch was found
        return found

    def copy_on(self, target: Asset) -> Instance | None:
        """The newest ready copy there, if it was promoted before."""
        if target.pk is None:
            return None
        copies = Instance.objects.of(target).filter(promoted_from=self.instance, state=State.READY)
        found: Instance | None = copies.order_by("-pk").first()
        return found

    def make(self, wish: Wish, expected: str) -> tuple[Instance, bool]:
        """The copy, and whether it is new. `expected` is the newest ready one there, as the page showed it, or empty.

        Raises GateRefused, TargetMoved, and BadRequest for what is not ready.
        """
        if not self.instance.is_ready:
            raise BadRequest(f"{self.instance.ref} is {self.instance.state}; only what is ready is promoted.")
        wish = with_card_of_copy(wish, self.at, self.what.annotations)
        for take in range(MOST_TAKES):
            uid = id_from(Operation.REGISTER, copy_key(self.instance.uid, self.branch.name, take))
            try:
                with transaction.atomic():
                    return self._made(wish, expected, uid)
            except IntegrityError:
                continue  # who promoted the same gave the copy this id, and maybe deleted it since
        raise Conflict("The copy is deleted as often as it is made.")

    def _made(self, wish: Wish, expected: str, uid: str) -> tuple[Instance, bool]:
        target = locked(self.at)
        if target is not None and (copy := self.copy_on(target)):
            return copy, False
        newest = target.newest_ready if target else None
        if (newest.uid if newest else "") != expected:
            raise TargetMoved("Another version is the newest there by now.")
        entity = Entity(self.instance.producer_kind, self.instance.producer_id)
        return register(actor=self.viewer.actor, at=self.at, entity=entity, what=self.what, uid=uid, wish=wish), True
