"""What the gates say of a move of an alias, or of a promotion into a branch, before it is done.

`set_alias` and `register` ask here while they hold the asset's lock, so that the second of two racing promoters is
judged by what the first left. Who only wants to know asks `judge_move` and `judge_promotion`: the same code, which
writes nothing. What is refused is a `GateRefused`; once its transaction is undone, `note_refusal` keeps it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string

from access.errors import BadRequest, NotFound, SiteError
from access.statements import insert_with_key
from catalog import news, outbox
from catalog.approvals import approvals_given
from catalog.attention import of_alias, raise_attention, settle_attention
from catalog.entities import Entity
from catalog.gates.declared import Gate, Gates
from catalog.gates.facts import Facts, Told
from catalog.gates.judgement import Judgement, Ruling, Says
from catalog.gates.judging import judge
from catalog.models import Asset, Attention, GateRevision, GateVerdict, Instance, PromotionRequest
from catalog.querysets import PROMOTED_FROM
from catalog.recording.places import in_one_transaction, locked_all, moment
from catalog.recording.receipts import read as read_receipt
from catalog.statements import gates_by_key, held_before, own_instance
from catalog.states import AttentionKind, Outcome, RequestState, State

if TYPE_CHECKING:
    from catalog.recording.registering import Registration

Json = dict[str, Any]
UID_LENGTH = 32
REFUSED_FOR = timedelta(days=30)
"""So long a refusal needs attention, unless the alias moves."""


@dataclass(frozen=True)
class Wish:
    """How and why somebody wants a move, or a promotion."""

    comment: str = ""
    user: User | None = None
    """Who is signed in on a page; None: a token, a task, reconciling."""
    override: str = ""
    """The reason of an admin. Only pages set it, and have checked who it is."""
    request: PromotionRequest | None = None
    """The one whose approvals count."""
    receipt: str = ""
    """By which reconciling knows that it was done before. It has verified it."""
    card: Told | None = None
    """Whether there is a card: looked up before the locks are taken (`looked_up`)."""
    known: GateRevision | None = field(default=None, compare=False)
    """The gates as they were read before the locks, which need not be read again if they still hold."""

    @property
    def is_told(self) -> bool:
        """Whether there is something to keep, although no gate was asked."""
        return bool(self.comment or self.user or self.override or self.request or self.was_judged)

    @property
    def was_judged(self) -> bool:
        """Whether gates were asked when it was done before, whichever hold now."""
        said = read_receipt(self.receipt)
        return said is not None and said.gated


PLAIN = Wish()


@dataclass(frozen=True)
class Candidate:
    """What is to be judged. `instance` is None for a definition; a copy that is not made yet has no key."""

    asset: Asset
    instance: Instance | None
    uid: str
    card: Told | None
    at: datetime


@dataclass(frozen=True)
class Judged:
    """What the gates say. `alias` is empty for a promotion into the branch; `approvals` are those given, and needed."""

    asset: Asset
    alias: str
    uid: str
    target: Instance | None
    from_uid: str
    outcome: Outcome
    at: datetime
    judgement: Judgement = field(default_factory=Judgement)
    gate: Gate | None = None
    gates: GateRevision | None = None
    approvals: tuple[int, int] = (0, 0)

    @property
    def passes(self) -> bool:
        return self.outcome != Outcome.REFUSED

    @property
    def own_rulings(self) -> tuple[Ruling, ...]:
        """What the rules said that were declared; what is said of approvals comes after them."""
        rulings = self.judgement.rulings
        return rulings[:-1] if self.approvals[1] else rulings

    @property
    def as_json(self) -> Json:
        """As checks answer it."""
        given, needed = self.approvals
        return {
            "passes": self.passes,
            "outcome": self.outcome.value,
            "rules": self.judgement.as_json(),
            "revision": revision_shape(self.gates) if self.gates and self.gate else None,
            "approvals": {"given": given, "needed": needed},
        }


NO_GATES: Json = {
    "passes": True,
    "outcome": Outcome.PASSED.value,
    "rules": [],
    "revision": None,
    "approvals": {"given": 0, "needed": 0},
}
"""What checks answer where there can be no gates."""


def revision_shape(gates: GateRevision) -> Json:
    """A revision of gates as answers name it."""
    return {
        "id": gates.pk,
        "at": gates.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "source": gates.source,
        "version": gates.version_id,
        "actor": gates.actor,
    }


def gate_for(gates: Gates | None, alias: str) -> Gate | None:
    """The gate of an alias, or of the branch if that is empty."""
    if gates is None:
        return None
    return gates.for_alias(alias) if alias else gates.into_branch


def gates_of(asset: Asset, wish: Wish = PLAIN) -> tuple[GateRevision | None, Gates | None]:
    """The gates that hold for an asset, with their revision; no query if there are none."""
    if asset.gates_id is None:
        return None, None
    known = wish.known
    revision = known if known and known.pk == asset.gates_id else gates_by_key.one(pk=asset.gates_id)
    assert revision is not None  # as the database promises
    return revision, Gates.of(revision.gates)


def judge_move(asset: Asset, name: str, target_uid: str, wish: Wish = PLAIN) -> Judged:
    """What the gates say of moving an alias to an instance or the definition. Nothing is written."""
    target = alias_target(asset, target_uid)
    present = asset.alias_index.get(name, "")
    if present == target_uid:  # it stays where it is
        return Judged(asset, name, target_uid, target, present, Outcome.PASSED, timezone.now())
    return _judged(asset, name, target_uid, target, wish)


def judge_promotion(
    asset: Asset, what: "Registration", source: Instance | None = None, wish: Wish = PLAIN, at: datetime | None = None
) -> Judged:
    """What the gates say of a registration that is a copy. Nothing is written.

    `asset` is that at the target, which need not be saved; `source` what it is a copy of, if the catalogue has it.
    """
    copy = Instance(
        asset=asset,
        annotations=what.annotations,
        tags=what.tags,
        promoted_from=source or source_of(what.annotations),
        digest=what.digest,
        created_at=at or timezone.now(),
    )
    return judge_copy(copy, wish)


def judge_copy(copy: Instance, wish: Wish) -> Judged:
    """The same, of an instance that is about to be inserted."""
    uid = copy.promoted_from.uid if copy.promoted_from else str(copy.annotations.get(PROMOTED_FROM) or "")
    return _judged(copy.asset, "", uid[:UID_LENGTH], copy, wish)


def refused_since(copy: Instance, settled_at: datetime | None = None) -> str:
    """Why gates refuse a pending copy that are others than those by which it was registered; empty if they don't.

    `settled_at` is the past moment at which it became ready that is only told now: of what has shown a receipt, gates
    are not asked that came later.
    """
    revision, gates = gates_of(copy.asset)
    gate = gate_for(gates, "")
    if revision is None or gate is None:
        return ""
    verdict = GateVerdict.objects.filter(copy=copy).select_related("gates").first()
    if verdict and verdict.gates and gate_for(Gates.of(verdict.gates.gates), "") == gate:
        return ""
    if verdict and verdict.outcome == Outcome.REPLAY and settled_at and settled_at < revision.at:
        return ""
    judged = judge_copy(copy, PLAIN)
    return "" if judged.passes else f"the gates refuse it: {' '.join(map(said_of, judged.judgement.refusals))}"


def source_of(annotations: Mapping[str, Any]) -> Instance | None:
    """The instance that a copy with these annotations was made from, where the catalogue has it."""
    uid = annotations.get(PROMOTED_FROM)
    if not isinstance(uid, str) or not uid:
        return None
    source: Instance | None = Instance.objects.filter(uid=uid).only("pk", "uid", "asset_id").first()
    return source


def alias_target(asset: Asset, uid: str) -> Instance | None:
    """What an alias of the asset may be moved to under this id; None: its definition."""
    if uid == asset.definition_uid:
        return None
    target: Instance | None = own_instance.one(asset=asset.pk, uid=uid)
    if target is None:
        raise NotFound(f"The asset '{asset.asset_id}' has no instance '{uid}'.", instance=uid)
    if target.state != State.READY:
        raise BadRequest(f"{target.ref} is {target.state}; an alias takes a ready instance only.", instance=uid)
    return target


def _judged(asset: Asset, alias: str, uid: str, target: Instance | None, wish: Wish) -> Judged:
    """Ask the gates that hold for the alias, or for the branch if it is empty."""
    if wish.override and wish.user is None:
        raise BadRequest("Only a person who is signed in may override gates.")
    now, from_uid = timezone.now(), asset.alias_index.get(alias, "") if alias else ""
    revision, gates = gates_of(asset, wish)
    gate = gate_for(gates, alias)
    deprecated = bool(alias) and target is not None and target.deprecation_id is not None
    judged = Judged(asset, alias, uid, target, from_uid, Outcome.PASSED, now, gate=gate, gates=revision)
    if gate is None and not deprecated and not wish.is_told:
        return judged
    if wish.receipt:
        return replace(judged, outcome=Outcome.REPLAY)
    held = bool(alias) and _held_before(asset, alias, uid)
    rulings: list[Ruling] = []
    given, needed = 0, 0
    if gate is not None:
        facts = facts_of(Candidate(asset, target, uid, wish.card, now))
        rulings += judge(gate, facts, held_before=held).rulings
        if needed := gate.approvals:
            given = _approvals(judged, gate, wish)
            rulings.append(_on_approvals(given, needed, exempt=held))
    final = []
    if deprecated and not held:
        final = [_on_deprecation(target)]
    judgement = Judgement((*final, *rulings))
    outcome = Outcome.ROLLBACK if held else Outcome.PASSED
    if not judgement.passes:
        outcome = Outcome.OVERRIDE if wish.override and not final else Outcome.REFUSED
    return replace(judged, outcome=outcome, judgement=judgement, approvals=(given, needed))


@cache
def _facts() -> Callable[[Candidate], Facts]:
    found: Callable[[Candidate], Facts] = import_string(settings.GATE_FACTS)
    return found


def facts_of(candidate: Candidate) -> Facts:
    """What rules ask of a candidate; it is read by the room that stands above the catalogue."""
    return _facts()(candidate)


def _held_before(asset: Asset, alias: str, uid: str) -> bool:
    """Whether it held the alias before, on this asset or on one that was deleted at its address."""
    here = {"branch": asset.branch_id, "kind": asset.kind, "asset_id": asset.asset_id}
    return held_before.one(**here, name=alias, uid=uid) is not None


def _approvals(judged: Judged, gate: Gate, wish: Wish) -> int:
    """How many approvals count: those of an open request for exactly this, under the gates that hold now."""
    request, asset, target = wish.request, judged.asset, judged.target
    if request is None or target is None or request.state != RequestState.OPEN:
        return 0
    asked = target.pk if judged.alias else target.promoted_from_id
    is_for_this = (
        (request.branch_id, request.kind, request.asset_id) == (asset.branch_id, asset.kind, asset.asset_id)
        and (request.alias, request.expected_uid) == (judged.alias, judged.from_uid)
        and (request.instance_id, request.gates_id) == (asked, asset.gates_id)
    )
    return approvals_given(request) if is_for_this else 0


def _on_approvals(given: int, needed: int, *, exempt: bool) -> Ruling:
    rule, has = f"approvals = {needed}", f"{given} of {needed}"
    if exempt:
        return Ruling(rule, Says.EXEMPT, has=has, reason="it held the alias before")
    if given >= needed:
        return Ruling(rule, Says.PASSES, has=has)
    how = "ask for them on its page, or with POST …/requests"
    return Ruling(rule, Says.REFUSES, has=has, needs=str(needed), short_by=str(needed - given), reason=how)


def _on_deprecation(target: Instance | None) -> Ruling:
    why = target.deprecation.reason if target and target.deprecation else ""
    reason = f"it is deprecated: {why}" if why else "it is deprecated"
    return Ruling("not deprecated", Says.REFUSES, reason=reason)


# what is kept


def refuse_unless_passed(judged: Judged, wish: Wish, *, actor: str, entity: Entity) -> None:
    """Raise GateRefused for what the gates refuse."""
    if not judged.passes:
        raise GateRefused(judged, wish, actor, entity)


class GateRefused(SiteError):
    """The gates refuse it; with all that `note_refusal` keeps of it."""

    status = 422

    def __init__(self, judged: Judged, wish: Wish, actor: str, entity: Entity) -> None:
        self.judged, self.wish, self.actor, self.entity, self.noted = judged, wish, actor, entity, False
        said = judged.as_json
        super().__init__(
            message_of(judged),
            alias=judged.alias or None,
            into_branch=not judged.alias,
            instance=judged.uid,
            rules=said["rules"],
            revision=said["revision"],
            approvals=said["approvals"],
        )


def keep_verdict(
    judged: Judged,
    wish: Wish,
    *,
    actor: str,
    entity: Entity,
    when: datetime | None = None,
    copy: Instance | None = None,
) -> GateVerdict | None:
    """The row of what the gates said, if there is anything to keep: a plain move without gates has none."""
    if judged.gate is None and judged.outcome == Outcome.PASSED and not wish.is_told:
        return None
    verdict = GateVerdict(
        **_address(judged),
        outcome=judged.outcome,
        rules=judged.judgement.as_json(),
        comment=wish.override or wish.comment,
        receipt=wish.receipt,
        copy=copy,
        at=moment(when),
        actor=actor,
        user=wish.user,
        entity_kind=entity.kind,
        entity_id=entity.id,
    )
    insert_with_key(verdict)
    return verdict


def _address(judged: Judged) -> Json:
    """What a verdict is about, as its columns."""
    asset = judged.asset
    return {
        "branch_id": asset.branch_id,
        "kind": asset.kind,
        "asset_id": asset.asset_id,
        "alias": judged.alias,
        "instance_uid": judged.uid,
        "from_uid": judged.from_uid,
        "gates": judged.gates if judged.gate else None,
    }


@in_one_transaction
def note_refusal(error: Exception) -> None:
    """Keep what was refused, once the transaction that asked is undone. The same again is counted."""
    if not isinstance(error, GateRefused) or error.noted:
        return
    error.noted = True
    asset = _as_it_is(error.judged.asset)
    same = _address(error.judged) | {"outcome": Outcome.REFUSED, "actor": error.actor}
    present = {"rules": error.judged.judgement.as_json(), "comment": error.wish.comment, "at": error.judged.at}
    last = GateVerdict.objects.filter(**same).order_by("-id").first()
    if last:
        GateVerdict.objects.filter(pk=last.pk).update(count=F("count") + 1, **present)
    else:
        by = {"user": error.wish.user, "entity_kind": error.entity.kind, "entity_id": error.entity.id}
        GateVerdict.objects.create(**same, **present, **by)
    _tell_refusal(error, asset, 1 + (last.count if last else 0))


def _as_it_is(asset: Asset) -> Asset:
    """The asset of a refusal, locked; one without a key if it came into being only with what was undone."""
    at = {"kind": asset.kind, "asset_id": asset.asset_id}
    for found in locked_all([asset.pk]) if asset.pk else ():
        if (found.branch_id, found.kind, found.asset_id) == (asset.branch_id, *at.values()):
            found.branch = asset.branch
            return found
    return Asset(branch=asset.branch, **at, name=asset.name)


def _tell_refusal(error: GateRefused, asset: Asset, count: int) -> None:
    """Tell of it, and let it be among what needs attention until the alias moves, or a promotion passes."""
    judged, refusals = error.judged, error.judged.judgement.refusals
    raise_attention(
        AttentionKind.REFUSED,
        subject_of(judged),
        perimeter_id=asset.branch.project.perimeter_id,
        branch_id=asset.branch_id,
        asset_id=asset.pk,
        since=judged.at,
        until=judged.at + REFUSED_FOR,
        facts={
            "alias": judged.alias,
            "version": judged.target.number if judged.alias and judged.target else None,
            "uid": judged.uid,
            "rules": [ruling.rule for ruling in refusals],
            "said": [said_of(ruling) for ruling in refusals],
            "sentence": error.message,
            "count": count,
            "actor": error.actor,
            "at": judged.at.isoformat(),
        },
        matter=["alias", "uid", "rules"],
    )
    messages = news.refused(
        asset,
        judged.alias,
        target=judged.target,
        uid=judged.uid,
        sentence=error.message,
        rulings=judged.judgement.rulings,
        comment=error.wish.comment,
        by=error.actor,
        at=judged.at,
    )
    outbox.keep(messages)


def settle_refusal(judged: Judged) -> None:
    """What was refused there needs no attention any more; nothing is asked where nothing can have been refused."""
    is_deleted = not judged.uid
    if judged.gate or judged.asset.deprecated_count or (is_deleted and judged.asset.gates_id):
        settle_attention(AttentionKind.REFUSED, subject_of(judged))


def settle_ungated(asset: Asset, gates: Gates) -> None:
    """What was refused by a gate that is gone, now that these hold, needs no attention any more."""
    rows = Attention.objects.filter(asset=asset, kind=AttentionKind.REFUSED, until__gt=timezone.now())
    if over := [row.subject for row in rows if gate_for(gates, row.facts["alias"]) is None]:
        settle_attention(AttentionKind.REFUSED, *over)


def subject_of(judged: Judged) -> str:
    """What a refusal is about, among all that needs attention."""
    asset = judged.asset
    return of_alias(asset.branch_id, asset.kind, asset.asset_id, judged.alias)


# in words


def message_of(judged: Judged) -> str:
    """Why it is refused, for people: each rule that refuses, with what it has and what it needs."""
    refusals = judged.judgement.refusals
    count = len(judged.judgement.rulings)
    rules = "1 rule" if count == 1 else f"{count} rules"
    passes = f"does not pass {len(refusals)} of {rules}{_whose(judged)}"
    if judged.alias:
        present = _present(judged)
        stays = f"stays on {present}" if present else "is not set"
        what = judged.target.ref if judged.target else "the definition"
        first = f"@{judged.alias} {stays}: {what} {passes}."
    else:
        first = f"Nothing was promoted to {judged.asset.branch.name}: {_source_in_words(judged)} {passes}."
    return " ".join([first, *map(said_of, refusals)])


def _source_in_words(judged: Judged) -> str:
    """What was to be promoted, by its own number and branch where it is in the same perimeter: "v3 of feature/x"."""
    pk, here = judged.target and judged.target.promoted_from_id, judged.asset.branch.project.perimeter
    known = Instance.objects.of(here).filter(pk=pk).select_related("asset__branch") if pk else Instance.objects.none()
    source = known.only("number", "asset__branch__key", "asset__branch__git_name").first()
    return f"{source.ref} of {source.asset.branch.name}" if source else judged.uid or "what was to be"


def _whose(judged: Judged) -> str:
    if judged.gates is None or judged.gate is None:
        return ""
    gates = judged.gates
    parts = [f"{gates.source or 'gates'} of {judged.asset.branch.name}", f"deployed {gates.at:%-d %b %H:%M}"]
    return f" ({', '.join([*parts, *filter(None, [gates.version_id[:12]])])})"


def _present(judged: Judged) -> str:
    """What holds the alias now, as people call it; empty if nothing does."""
    if judged.from_uid == judged.asset.definition_uid:
        return "the definition"
    held = Instance.objects.of(judged.asset).filter(uid=judged.from_uid).only("number", "asset_id").first()
    return held.ref if held else ""


def said_of(ruling: Ruling) -> str:
    """A ruling as a sentence: "auc >= 0.8: has 0.79, needs 0.8, 0.01 short."."""
    needs = f"needs {ruling.needs}" if ruling.needs else ""
    if ruling.reference:
        needs = f"{needs} ({ruling.reference})".strip()
    has = f"has {ruling.has}" if ruling.has else ""
    return f"{ruling.rule}: {', '.join(filter(None, [has, needs, ruling.shortfall, ruling.reason]))}."
