"""READMEs on pages: Markdown written by users, as HTML that can do no harm and fetches nothing."""

from django.utils.safestring import SafeString, mark_safe

from catalog.readmes.addresses import Folder
from catalog.readmes.rendering import Rendered, end_of, render


def readme(text: str, folder: Folder | None = None) -> Rendered:
    """A README, which stands in `folder` of its repository, in two parts: what is in sight, and what is folded."""
    return render(text, folder)


def markdown(text: str, folder: Folder | None = None) -> SafeString:
    """A README unfolded. See `is_cut`."""
    rendered = render(text, folder)
    return mark_safe(rendered.beginning + rendered.rest)  # noqa: S308 - both are sanitised


def is_cut(text: str) -> bool:
    """Whether only the beginning of a text is shown, as the whole would take too long."""
    return end_of(text) < len(text)
