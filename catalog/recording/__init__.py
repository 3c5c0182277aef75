"""Every write that touches several tables: register, consume, confirm, alias, deploy, declare, edit, delete, deprecate.

Each function is one transaction and records who and when. The lock that orders writers is the asset's row. Rows are
locked or made in one order, so that writers can wait for each other but never deadlock: a request for approvals, the
component, existing assets by their keys, project and branch where they are new, a new asset, its edges, and changes to
the branch last.
"""

from catalog.recording.aliases import ANY, AliasMoved, delete_alias, set_alias
from catalog.recording.consuming import consume
from catalog.recording.deleting import (
    HeldByGatedAlias,
    NameInUse,
    NotDeleted,
    TooLate,
    delete_asset,
    gated_aliases,
    newest_deleted,
    recover_asset,
    recoverable_since,
)
from catalog.recording.deploying import Declaration, DeployOutcome, declare, delete_spec, deploy, post_spec
from catalog.recording.deprecating import deprecate, undo_deprecation
from catalog.recording.digests import fill_digests
from catalog.recording.editing import clear_override, override_property
from catalog.recording.expecting import start_anew
from catalog.recording.failing import fail_readings
from catalog.recording.gating import (
    NO_GATES,
    PLAIN,
    GateRefused,
    Judged,
    Wish,
    gates_of,
    judge_move,
    judge_promotion,
    note_refusal,
    revision_shape,
)
from catalog.recording.highlights import Highlighted, highlight_before, show_highlight
from catalog.recording.learning import learn_branches
from catalog.recording.looked_up import promoted_to, with_card, with_card_of_copy
from catalog.recording.looking_back import look_back
from catalog.recording.places import AssetAddress, BranchAddress
from catalog.recording.receipts import is_promotion, receipt_of_move, receipt_of_promotion
from catalog.recording.registering import AtHand, Registration, confirm, register, registered_by
from catalog.recording.repeats import (
    Once,
    consumption_before,
    deletion_before,
    deprecation_before,
    forget_old_answers,
    move_before,
    once,
    registration_before,
)
from catalog.recording.runs import NOTHING_TOLD, ReadRun, Told, keep_read_run
from catalog.recording.together import Write, Writer, write_together

__all__ = [
    "ANY",
    "NOTHING_TOLD",
    "NO_GATES",
    "PLAIN",
    "AliasMoved",
    "AssetAddress",
    "AtHand",
    "BranchAddress",
    "Declaration",
    "DeployOutcome",
    "GateRefused",
    "HeldByGatedAlias",
    "Highlighted",
    "Judged",
    "NameInUse",
    "NotDeleted",
    "Once",
    "ReadRun",
    "Registration",
    "Told",
    "TooLate",
    "Wish",
    "Write",
    "Writer",
    "clear_override",
    "confirm",
    "consume",
    "consumption_before",
    "declare",
    "delete_alias",
    "delete_asset",
    "delete_spec",
    "deletion_before",
    "deploy",
    "deprecate",
    "deprecation_before",
    "fail_readings",
    "fill_digests",
    "forget_old_answers",
    "gated_aliases",
    "gates_of",
    "highlight_before",
    "is_promotion",
    "judge_move",
    "judge_promotion",
    "keep_read_run",
    "learn_branches",
    "look_back",
    "move_before",
    "newest_deleted",
    "note_refusal",
    "once",
    "override_property",
    "post_spec",
    "promoted_to",
    "receipt_of_move",
    "receipt_of_promotion",
    "recover_asset",
    "recoverable_since",
    "register",
    "registered_by",
    "registration_before",
    "revision_shape",
    "set_alias",
    "show_highlight",
    "start_anew",
    "undo_deprecation",
    "with_card",
    "with_card_of_copy",
    "write_together",
]
