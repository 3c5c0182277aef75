"""Whether a viewer may write where a page has a form or a button, and in what words it is said if not."""

from access.errors import Forbidden
from access.identity import NotAllowed, Viewer
from access.models import Role
from catalog.branch_keys import names_of
from catalog.entities import Entity
from catalog.limits import COMMENT_LENGTH, UNSTORABLE
from catalog.models import Branch

NO_PERSON = "An override is for people who are signed in here: no token has one, and nobody in local mode."


def may_edit(viewer: Viewer, branch: Branch) -> bool:
    """Whether the viewer may write to the branch: by role, and by the patterns of a token."""
    return viewer.may(branch.project.perimeter, Role.EDITOR, _names(viewer, branch))


def require_editor(viewer: Viewer, branch: Branch) -> None:
    """Raises NotAllowed, with a sentence that says what is lacking."""
    viewer.require(branch.project.perimeter, Role.EDITOR, _names(viewer, branch))


def what_is_lacking(viewer: Viewer, branch: Branch) -> str:
    """Why the viewer may not write to the branch, as a sentence; empty for who may."""
    try:
        require_editor(viewer, branch)
    except NotAllowed as error:
        return error.message
    return ""


def may_override(viewer: Viewer, branch: Branch) -> bool:
    """Whether the viewer may do what rules refuse: an admin who is signed in, in team mode."""
    return viewer.person is not None and viewer.may(branch.project.perimeter, Role.ADMIN)


def require_overrider(viewer: Viewer, branch: Branch) -> None:
    """Raises Forbidden."""
    if viewer.person is None:
        raise Forbidden(NO_PERSON)
    viewer.require(branch.project.perimeter, Role.ADMIN)


def checked_comment(text: str) -> tuple[str, str]:
    """A comment as it is kept, and what is wrong with it, as a sentence."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > COMMENT_LENGTH:
        return text, f"It has {len(text):,} characters, and may have {COMMENT_LENGTH:,}."
    if UNSTORABLE.search(text):
        return text, "It has characters in it that can't be stored."
    return text, ""


def entity_of(viewer: Viewer) -> Entity:
    """Who did what was sent by a form, as rows name it."""
    return Entity("user", viewer.user.get_username())


def _names(viewer: Viewer, branch: Branch) -> list[str]:
    """All names of the branch, for the patterns of a token; else those that are at hand."""
    names = [branch.name, branch.key]
    return [*names, *names_of(branch)] if viewer.branch_patterns else names
