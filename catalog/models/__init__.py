"""What the catalogue keeps; docs/data-model.md says what is an event, what is derived, and what keeps which promise."""

from catalog.models.aliases import Alias, AliasMove
from catalog.models.approvals import Approval, PromotionRequest
from catalog.models.assets import (
    Asset,
    Cadence,
    DefinitionRevision,
    Deletion,
    NewNormal,
    PropertyEdit,
    PropertyOverride,
)
from catalog.models.attention import Attention, Unusual
from catalog.models.columns import new_definition_id, new_highlight_id, new_instance_id  # named by migrations
from catalog.models.edges import Edge, NameStart, Promotion
from catalog.models.gates import GateRevision, GateVerdict
from catalog.models.highlights import Highlight
from catalog.models.instances import Consumption, Deprecation, Instance, StateChange
from catalog.models.places import Branch, BranchKey, BranchName, Project, SpecVersion
from catalog.models.reconciling import MetadataSource, MissedWrite, OpenRun, Reconciliation, SourceFlow
from catalog.models.runs import ClonedTask, Component, Run
from catalog.models.series import MetricBlock, SeriesBlock
from catalog.models.telling import Delivery, DeliveryTry, Message, Subscription, Webhook, new_message_id
from catalog.models.upkeep import Derivation, IdempotencyKey, Lease

__all__ = [
    "Alias",
    "AliasMove",
    "Approval",
    "Asset",
    "Attention",
    "Branch",
    "BranchKey",
    "BranchName",
    "Cadence",
    "ClonedTask",
    "Component",
    "Consumption",
    "DefinitionRevision",
    "Deletion",
    "Delivery",
    "DeliveryTry",
    "Deprecation",
    "Derivation",
    "Edge",
    "GateRevision",
    "GateVerdict",
    "Highlight",
    "IdempotencyKey",
    "Instance",
    "Lease",
    "Message",
    "MetadataSource",
    "MetricBlock",
    "MissedWrite",
    "NameStart",
    "NewNormal",
    "OpenRun",
    "Project",
    "Promotion",
    "PromotionRequest",
    "PropertyEdit",
    "PropertyOverride",
    "Reconciliation",
    "Run",
    "SeriesBlock",
    "SourceFlow",
    "SpecVersion",
    "StateChange",
    "Subscription",
    "Unusual",
    "Webhook",
    "new_definition_id",
    "new_highlight_id",
    "new_instance_id",
    "new_message_id",
]
