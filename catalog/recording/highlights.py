"""What tasks show of their runs: each highlight is kept, and one of each component of a branch is its newest."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from access.errors import Conflict
from catalog.counters import component_of
from catalog.entities import Entity
from catalog.models import Branch, Highlight, Project, new_highlight_id
from catalog.recording.places import BranchAddress, branch_at, finish, in_one_transaction, moment
from catalog.recording.repeats import refuse_other_content

Json = dict[str, Any]


@dataclass(frozen=True)
class Highlighted:
    """What a task shows; an image is kept beside the rest."""

    title: str = ""
    content: Json = field(default_factory=dict)
    image: bytes | None = None
    image_type: str = ""
    attempt: int | None = None
    datastore_type: str = ""
    datastore_root: str = ""
    datastore_cards: str | None = None


@in_one_transaction
def show_highlight(
    *,
    actor: str,
    at: BranchAddress,
    entity: Entity,
    what: Highlighted,
    uid: str = "",
    when: datetime | None = None,
) -> Highlight:
    """Keep a highlight, on a branch that comes into being with it if need be.

    `uid` is the id that the client gave it; of two with one id the second is stopped by the database. `when` is the
    past moment of a highlight that arrives only now.
    """
    component, _ = component_of(perimeter_id=at.perimeter.pk, project=at.project, entity=entity)
    branch = Branch.objects.select_for_update(no_key=True).get(pk=branch_at(at, when).pk)
    before = Highlight.objects.filter(branch=branch, component=component, is_newest=True).only("at").first()
    shown_at = _shown_at(before, when)
    is_newest = before is None or shown_at >= before.at
    if before and is_newest:
        Highlight.objects.filter(pk=before.pk).update(is_newest=False)
    highlight = Highlight.objects.create(
        uid=uid or new_highlight_id(),
        branch=branch,
        component=component,
        entity_kind=entity.kind,
        entity_id=entity.id,
        run=entity.run,
        attempt=what.attempt,
        datastore_type=what.datastore_type,
        datastore_root=what.datastore_root,
        datastore_cards=what.datastore_cards,
        title=what.title,
        content=what.content,
        image=what.image,
        image_type=what.image_type,
        at=shown_at,
        actor=actor,
        is_newest=is_newest,
    )
    finish(branch, at, made=False, actor=actor)
    _point_to(highlight)
    return highlight


def _shown_at(before: Highlight | None, when: datetime | None) -> datetime:
    """What arrives in time is never older than what was there before, whatever the clocks of several servers say."""
    at = moment(when)
    return at if when or before is None else max(at, before.at)


def _point_to(highlight: Highlight) -> None:
    """Let the project point to its newest highlight. Its row is locked after the branch's, as by a deploy."""
    projects = Project.objects.select_for_update(of=("self",), no_key=True).select_related("newest_highlight")
    project = projects.defer("newest_highlight__content", "newest_highlight__image").get(pk=highlight.branch.project_id)
    newest = project.newest_highlight
    if newest is None or highlight.at >= newest.at:
        Project.objects.filter(pk=project.pk).update(newest_highlight=highlight)


def highlight_before(uid: str, at: BranchAddress, entity: Entity, what: Highlighted) -> Highlight | None:
    """What `entity` showed under this id; None if nobody did.

    Conflict if the id is that of another write: elsewhere, by another entity, or with other content. Images are not
    compared, as a journal keeps none.
    """
    with_place = Highlight.objects.select_related("branch__project")
    found: Highlight | None = with_place.filter(uid=uid).first() if uid else None
    if found is None:
        return None
    project = found.branch.project
    here = (project.perimeter_id, project.name, found.branch.key) == (at.perimeter.pk, at.project, at.key)
    if not here or (found.entity_kind, found.entity_id) != (entity.kind, entity.id):
        raise Conflict(f"The id '{uid}' belongs to another write.", field="id")
    refuse_other_content(uid, {"title": (found.title, what.title), "content": (found.content, what.content)})
    return found
