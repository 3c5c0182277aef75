"""Registering instances: one at the address of its asset, or many of a branch in one request."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from access.errors import BadRequest, Conflict, Forbidden, SiteError, TooLarge, error_body, refusal_of
from access.models import Role
from catalog import limits, recording
from catalog.api import schemas
from catalog.apikit.view import CatalogView
from catalog.branch_keys import KnownByOtherKey
from catalog.models import Asset, Instance
from catalog.querysets import PROMOTED_FROM
from catalog.reading import Place, Resolved, checked_asset_id
from catalog.recording import PLAIN, AssetAddress, AtHand, BranchAddress, Wish, Write, Writer
from catalog.states import Kind
from catalog.wire.bodies import RegistrationBody
from catalog.wire.parsing import MAY_BE_LEFT_OUT, EntriesJSONParser, check_storable, without
from catalog.wire.rendering import Answer
from catalog.wire.shapes import instance_shape, with_notes
from catalog.wire.told import digest_in

Json = dict[str, Any]
NORMALISED = "The asset id was given in another form of Unicode than NFC; in NFC it is kept."
FOREIGN_SESSION = "The session belongs to another entity; it is left out."
FIRST_REFUSED = "An earlier registration of this request has the same id, and is refused."


@dataclass(frozen=True)
class Asked:
    """A registration that the viewer may make. `written` is the id of its asset as the client spelled it."""

    at: AssetAddress
    written: str
    body: RegistrationBody
    wish: Wish = PLAIN
    """With what was looked up for the gates of a promotion."""

    @property
    def uid(self) -> str:
        return self.body.validated_data.get("id") or ""


class Registering(CatalogView):
    """What one registration and many of them share."""

    def asked(self, place: Place, kind: str, asset_id: str, said: Any) -> Asked:
        """Check a registration and whether the viewer may make it; `said` is its body."""
        name = checked_asset_id(asset_id)
        self.viewer.require(place.perimeter, Role.EDITOR)
        body: RegistrationBody = self.checked(RegistrationBody, said, kind=kind)
        self.check_body_agrees(place, said)
        to = self.address(place, body.validated_data.get("branch_name") or "")
        self.may_supersede(to, body)
        at = AssetAddress(to, kind, name)
        annotations = body.validated_data.get("annotations")
        wish = recording.with_card_of_copy(PLAIN, at, annotations) if annotations else PLAIN
        return Asked(at, asset_id, body, wish)

    def address(self, place: Place, name: str) -> BranchAddress:
        return self.to_write(place, name)

    def may_supersede(self, to: BranchAddress, body: RegistrationBody) -> None:
        """Check that the viewer may settle what this fails: the instances of lower attempts, on any branch."""
        attempt = body.validated_data.get("attempt")
        if attempt:
            self.may_settle(
                to.perimeter, recording.registered_by(to.perimeter, body.entity).filter(attempt__lt=attempt)
            )

    def done(self, asked: Asked, at_hand: AtHand | None = None) -> Resolved:
        """Register the instance, or declare the asset."""
        actor, body = self.viewer.actor, asked.body
        if body.is_declaration:
            asset = recording.declare(
                actor=actor,
                at=asked.at,
                entity=body.entity,
                declaration=body.declaration(),
                config_hash=body.config_hash,
            )
            return Resolved(asset, None)
        instance = recording.register(
            actor=actor,
            at=asked.at,
            entity=body.entity,
            what=body.registration(),
            told=body.told,
            uid=asked.uid,
            at_hand=at_hand,
            wish=asked.wish,
        )
        return Resolved(instance.asset, instance)

    def answer(self, asked: Asked, found: Resolved) -> Json:
        """The instance, and what of the body was left out."""
        told = asked.body.told
        notes = [*told.notes, *digest_in(asked.body.validated_data.get("digest"))[1]]
        if found.asset.asset_id != asked.written:
            notes.append(NORMALISED)
        if told.session and found.instance is not None and not found.instance.run:
            notes.append(FOREIGN_SESSION)
        return with_notes(self._shape(asked, found), notes)

    def done_before(self, asked: Asked) -> Json | None:
        """The answer to a registration that was made before under its id; None if none was."""
        here = Asset.objects.visible_to(self.viewer).ever_at(asked.at.branch, asked.at.kind, asked.at.asset_id)
        instance = recording.registration_before(asked.uid, here, asked.body.entity, asked.body.registration())
        return self._shape(asked, Resolved(instance.asset, instance)) if instance else None

    def _shape(self, asked: Asked, found: Resolved) -> Json:
        """The instance, and the receipt of a promotion that its client can name."""
        shape, made = instance_shape(found, self.base), found.instance
        if made is None or not asked.uid or not recording.is_promotion(made.annotations):
            return shape
        receipt = recording.receipt_of_promotion(made)
        return shape | {"receipt": receipt} if receipt else shape


@dataclass(frozen=True)
class Refused:
    """One of many registrations that is not made, and why."""

    error: Exception

    @property
    def entry(self) -> Json:
        refusal = refusal_of(self.error)
        if refusal is None:  # no refusal, but trouble, and so it is for all
            raise self.error
        return {"status": refusal[0], "answer": error_body(*refusal)}


class Registrations(Registering):
    """Many registrations at once. What is asked of the database for one of them is asked once for those like it."""

    parser_classes = (EntriesJSONParser,)

    @extend_schema(
        operation_id="register_many",
        summary="Register up to 1,000 instances on a branch at once",
        description="One transaction, in which each registration is done or refused by itself.",
        parameters=[schemas.IDEMPOTENCY_KEY],
        request=schemas.RegistrationsBody,
        responses=schemas.RegistrationsAnswer,
    )
    def post(self, request: Request, **address: str) -> Answer:
        place = self.place()
        self.viewer.require(place.perimeter, Role.EDITOR)
        asked = [self._asked(place, entry) for entry in self._entries()]
        refused = [one.error for one in asked if isinstance(one, Refused) and isinstance(one.error, Forbidden)]
        if refused and len(refused) == len(asked):  # the viewer may not write here
            raise refused[0]
        return self.once(lambda: (200, {"registrations": self._entries_of_answer(asked)}))

    def _entries(self) -> list[Any]:
        said = self.request.data
        entries = said.get("registrations") if isinstance(said, dict) else None
        if not isinstance(entries, list):
            raise BadRequest("registrations: must be a list.", field="registrations")
        most = limits.REGISTRATIONS
        if len(entries) > most:
            raise TooLarge(f"The body has {len(entries):,} registrations; at most {most:,} go at once.", most=most)
        return entries

    def _asked(self, place: Place, said: Any) -> Asked | Refused:
        try:
            if not isinstance(said, dict):
                raise BadRequest("A registration must be a JSON object.")
            check_storable(without(said, MAY_BE_LEFT_OUT))
            kind, asset_id = said.get("kind"), said.get("asset")
            if kind not in Kind.values:
                raise BadRequest(f"kind: is none of {', '.join(Kind.values)}.", field="kind")
            if not isinstance(asset_id, str):
                raise BadRequest("asset: must be a string.", field="asset")
            return self.asked(place, str(kind), asset_id, said)
        except KnownByOtherKey:
            raise
        except (SiteError, ValidationError) as error:
            return Refused(error)

    @cached_property
    def _addresses(self) -> dict[tuple[str, str], BranchAddress]:
        return {}

    def address(self, place: Place, name: str) -> BranchAddress:
        known = self._addresses
        if (place.key, name) not in known:
            known[place.key, name] = super().address(place, name)
        return known[place.key, name]

    @cached_property
    def _superseding(self) -> set[tuple[Any, ...]]:
        return set()

    def may_supersede(self, to: BranchAddress, body: RegistrationBody) -> None:
        attempt = body.entity, body.validated_data.get("attempt")
        if attempt not in self._superseding:
            super().may_supersede(to, body)
            self._superseding.add(attempt)

    def _entries_of_answer(self, asked: list[Asked | Refused]) -> list[Json]:
        """Do them; what each is answered. Those under an id that is known or was given before are repeats."""
        given = [one.uid for one in asked if isinstance(one, Asked) and one.uid]
        seen = set(Instance.objects.visible_to(self.viewer).filter(uid__in=given).values_list("uid", flat=True))
        new: list[Asked] = []
        for one in asked:
            if isinstance(one, Asked) and one.uid not in seen:
                new.append(one)
                seen.update(filter(None, [one.uid]))
        results = recording.write_together([self._write(one) for one in new], self.viewer.actor)
        done = {id(one): result for one, result in zip(new, results, strict=True)}
        return [self._entry(one, done.get(id(one))) if isinstance(one, Asked) else one.entry for one in asked]

    def _write(self, asked: Asked) -> Write[Json]:
        body, branch = asked.body, asked.at.branch.key
        writer = None
        if not body.is_declaration:
            is_copy = PROMOTED_FROM in (body.validated_data.get("annotations") or {})
            attempt = body.validated_data.get("attempt")
            writer = Writer(body.entity, "" if is_copy else branch, body.told, attempt)
        return Write(asked.at, writer, lambda at_hand: self.answer(asked, self.done(asked, at_hand)))

    def _entry(self, asked: Asked, result: Json | Exception | None) -> Json:
        """What one of them is answered: done now, done before under the same id, or refused."""
        if isinstance(result, dict):
            return {"status": 201, "answer": result}
        if isinstance(result, KnownByOtherKey):
            raise result
        try:
            before = self.done_before(asked)
        except SiteError as error:
            return Refused(error).entry
        if before is not None:
            return {"status": 201, "answer": before}
        if result is not None:
            recording.note_refusal(result)
        return Refused(result or Conflict(FIRST_REFUSED, field="id")).entry
