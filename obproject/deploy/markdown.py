"""Markdown that is too long for where it goes, cut so that what is left means what it meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_DEFINITION = re.compile(r" {0,3}\[[^\]]+\]:\s*\S+\s*")
_OPENED, _CLOSED = re.compile(r"<details\b", re.IGNORECASE), re.compile(r"</details\s*>", re.IGNORECASE)


def shortened(text: str, most: int, page: str | None = None) -> str:
    """Return at most so many characters of a text, with a line that leads to a page with the rest.

    It is cut between lines, never within a table, a fence or an element of HTML that folds. The addresses of links
    that stand at its end go along.
    """
    if len(text) <= most:
        return text
    lines = text.split("\n")
    left_out = f"[All of it is here]({page})" if page else "The rest is left out, as it is too long for a comment."
    addresses = [(number, line) for number, line in enumerate(lines) if _DEFINITION.fullmatch(line)]
    room = [0, *accumulate(len(line) + 1 for line in lines)]
    for end in sorted(_borders(lines), reverse=True):
        if room[end] > most:
            continue
        further = [line for number, line in addresses if number >= end]
        short = "\n".join([*lines[:end], "", left_out, "", *further])
        if len(short) <= most:
            return short
    return left_out[:most]


def _borders(lines: list[str]) -> Iterator[int]:
    """Yield the numbers of lines after which a text may be cut."""
    fence, folds = "", 0
    for number, line in enumerate(lines, 1):
        fence = _fence_after(fence, line)
        if not fence:
            folds += len(_OPENED.findall(line)) - len(_CLOSED.findall(line))
        following = lines[number] if number < len(lines) else ""
        if not fence and folds <= 0 and not (_is_row(line) and _is_row(following)):
            yield number


def _fence_after(fence: str, line: str) -> str:
    """Return the fence that is open after a line; empty if none is."""
    found = _FENCE.fullmatch(line)
    if not fence:
        return found[1] if found and not (found[1][0] == "`" and "`" in found[2]) else ""
    ends = found and found[1][0] == fence[0] and len(found[1]) >= len(fence) and not found[2].strip()
    return "" if ends else fence


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|")
