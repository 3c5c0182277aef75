"""The states of an instance and of a run, and the kinds of an asset and of a run: listed here and nowhere else."""

from django.db.models import TextChoices


class Kind(TextChoices):
    """The two namespaces of assets, as they stand in addresses."""

    DATA = "data", "data"
    MODELS = "models", "models"

    @property
    def singular(self) -> str:
        return "data" if self is Kind.DATA else "model"


class State(TextChoices):
    """Whether the artifact of an instance can be read: not yet, yes, or never."""

    PENDING = "pending", "pending"
    READY = "ready", "ready"
    FAILED = "failed", "failed"


class Outcome(TextChoices):
    """What became of a wish to move an alias or to promote into a branch."""

    PASSED = "passed", "passed"
    REFUSED = "refused", "refused"
    ROLLBACK = "rollback", "rolled back"
    OVERRIDE = "override", "overridden"
    REPLAY = "replay", "replayed"


class RequestState(TextChoices):
    """How it stands with the request that an alias be moved, or a version promoted into a branch."""

    OPEN = "open", "open"
    REJECTED = "rejected", "rejected"
    WITHDRAWN = "withdrawn", "withdrawn"
    OUTDATED = "outdated", "outdated"
    DONE = "done", "done"


class Watch(TextChoices):
    """How it is known when the next version of an asset should come."""

    OFF = "off", "not watched"
    LEARNING = "learning", "learning"
    LEARNED = "learned", "learned"
    DECLARED = "declared", "declared"


class Freshness(TextChoices):
    """How it stands with the next version of an asset, now."""

    OFF = "off", "not watched"
    LEARNING = "learning", "learning"
    FRESH = "fresh", "fresh"
    DUE = "due", "due"
    LATE = "late", "late"
    DORMANT = "dormant", "dormant"


class CauseKind(TextChoices):
    """Why an asset is late, as far as the catalogue's own rows tell; the first that holds."""

    FAILED = "failed", "its last run failed"
    MAKING = "making", "it is being made"
    INPUT = "input", "an input is late"
    NOT_MADE = "not made", "its flow ran without making it"
    OLD_DATA = "old data", "its newest version has old data"
    NOT_RUN = "not run", "its flow has not run"


class EventKind(TextChoices):
    """What people and programs can ask to be told of, as messages name it."""

    REGISTERED = "version.registered", "version registered"
    READY = "version.ready", "version ready"
    FAILED = "version.failed", "version failed"
    UNUSUAL = "version.unusual", "version unusual"
    DEPRECATED = "version.deprecated", "version deprecated"
    ALIAS_MOVED = "alias.moved", "alias moved"
    GATE_REFUSED = "gate.refused", "refused by a gate"
    GATE_OVERRIDDEN = "gate.overridden", "gate overridden"
    APPROVAL_ASKED = "approval.asked", "approval asked for"
    APPROVAL_GIVEN = "approval.given", "approval given"
    APPROVAL_VOID = "approval.void", "request closed without a move"
    DEPLOYED = "branch.deployed", "branch deployed"
    LATE = "asset.late", "asset late"
    FRESH_AGAIN = "asset.fresh", "asset fresh again"
    DELETED = "asset.deleted", "asset deleted"
    RESTORED = "asset.restored", "asset restored"
    TEST = "webhook.test", "test of a webhook"


class DeliveryState(TextChoices):
    """What became of a message that somebody wanted."""

    WAITING = "waiting", "waiting"
    SET_ASIDE = "aside", "set aside"
    DELIVERED = "delivered", "delivered"
    GIVEN_UP = "given up", "given up"


class AttentionKind(TextChoices):
    """Why something needs attention."""

    LATE = "late", "late"
    UNUSUAL = "unusual", "unusual"
    REFUSED = "refused", "refused"
    DELIVERY = "delivery", "delivery failing"
    MISSED = "missed", "missed writes"
    DEPRECATED = "deprecated", "deprecated, yet read"


class RunKind(TextChoices):
    """What did something: a run of Metaflow, or what an app, a notebook or a script does in one process."""

    RUN = "run", "run"
    SESSION = "session", "session"


class RunState(TextChoices):
    """How a run goes, as Metaflow says."""

    NOT_TOLD = "", "not told"
    RUNNING = "running", "running"
    SUCCEEDED = "succeeded", "succeeded"
    FAILED = "failed", "failed"


RUN_STATES = tuple(state.value for state in RunState if state)
"""How a run goes, where that is told."""
DEFAULT_STATES = (State.READY.value,)
"""What lists, summaries and `latest` see unless they are asked for other states."""
STATES_TO_REGISTER = (State.PENDING.value, State.READY.value)
STATES_TO_SETTLE = (State.READY.value, State.FAILED.value)
LOST = "the task was lost"
"""How the reason of a failed one begins where nobody said how its task ended."""
ANY_STATE = "any"
"""In a query: all states."""
DEPRECATED = "deprecated"
"""What charts say in the place of the state of a ready one that is deprecated."""
DEFINITION = "definition"
"""What is said in the place of a state where a definition stands in the place of an instance."""
