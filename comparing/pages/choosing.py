"""The page of fewer than two versions: what they can be compared with."""

from typing import Any

from access.identity import Viewer
from catalog.addresses import asset_url
from catalog.models import Asset
from comparing.found import Found
from comparing.pages.columns import Column, columns_of
from comparing.pages.question import OWN, Question
from comparing.suggestions import Suggestion, suggestions, text_of

Json = dict[str, Any]


def choosing_context(viewer: Viewer, question: Question, found: Found) -> Json:
    """The context of choose.html, but for its frame."""
    home, column = question.home, _chosen(question, found)
    return {
        "asset": home,
        "asset_url": asset_url(home),
        "chosen": column.name if column else "",
        "chosen_url": column.url if column else "",
        "offered": [(one, _url(question, home, found, one)) for one in _offered(viewer, home, found)],
        "missing": found.missing,
        "more": found.more,
        "kept": question.kept,
        "notices": question.query.notices(*OWN, takes=()),
    }


def choosing_shape(viewer: Viewer, question: Question, found: Found) -> Json:
    column = _chosen(question, found)
    return {
        "versions": [column.shape] if column else [],
        "missing": [{"asked": one.text, "reason": one.sentence} for one in found.missing],
        "left_out": found.more,
        "suggested": [one.text for one in _offered(viewer, question.home, found)],
    }


def _chosen(question: Question, found: Found) -> Column | None:
    if not found.versions:
        return None
    return columns_of(question, found, 0, [None])[0]


def _offered(viewer: Viewer, home: Asset, found: Found) -> list[Suggestion]:
    return suggestions(viewer, home, found.versions[0] if found.versions else None)


def _url(question: Question, home: Asset, found: Found, suggestion: Suggestion) -> str:
    """The comparison with what is suggested, which becomes the base; of the newest version where none is chosen."""
    newest = home.newest_ready
    chosen = [] if found.versions or newest is None else [text_of(newest.ref, home, home)]
    texts = [one.text for one in found.versions] or chosen
    return question.url(of=",".join([suggestion.text, *texts]), base=suggestion.text)
