"""Branch names: their canonical key, which branch a flow reads and writes, and which names can stand in an address.

Client and server both import this module, so the rules exist once. Standard library only.

A branch is known by its git name as written (``feature/new-model``, ``user.alice``). On the wire and as identity it has
one canonical *key* (``feature_new_model``, ``user_alice``): :func:`branch_key`. Where the reference client's rule would
lose letters of a name (``user.李``), its key has a hash; what is made of it elsewhere: :func:`former_keys`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

MAIN_BRANCHES = ("main", "master")
"""The production branches. They read what they write, whatever ``[dev-assets]`` says."""

VENDOR_PRODUCTION = "prod"
"""What the vendor's platform has called the branch of what is deployed from main: Metaflow's name for it."""

MAX_NAME_LENGTH = 128
"""Longest project, asset id, alias and perimeter."""

MAX_BRANCH_LENGTH = 255
"""Longest git name of a branch."""

MAX_KEY_LENGTH = 128
"""Longest key of a branch: Metaflow takes no longer name of one."""

_HASH_LENGTH = 8
_WITHOUT_HEAD = "branch"
_UNSAFE_IN_KEY = re.compile(r"[^a-z0-9_]+")
_ASCII_UNSAFE_IN_KEY = re.compile(r"[\x00-\x2f\x3a-\x5e\x60\x7b-\x7f]+")
_UNDERSCORES = re.compile(r"_+")
# A surrogate can't be encoded and a control character can't be seen: neither belongs in a name.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")

_PROJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_SEGMENT = re.compile(r"\w[\w.@+:~-]*")
# Marks that are not seen, so that two names with and without them look the same.
_UNSEEN_MARK = re.compile("[\u034f\u17b4\u17b5\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_PROJECT_RULE = "letters, digits, '_', '.' and '-', beginning with a letter, a digit or '_'"
_SEGMENT_RULE = "letters, digits and _ . @ + : ~ -, beginning with a letter, a digit or '_'"


def branch_key(name: str) -> str:
    """Return the canonical key of a branch name; empty if it has neither a letter nor a digit of any script.

    ``@`` becomes ``_at_``, the rest is lower-cased, everything outside ``[a-z0-9_]`` becomes ``_``, runs of ``_``
    become one and those at the ends go. Where that loses letters, as of ``user.李`` or ``été/x``, or makes a key longer
    than :data:`MAX_KEY_LENGTH`, a hash of the name stands at its end: ``user_81200efb``. Spellings that differ in
    separators, capitals and the form of Unicode have one key. A key is its own key.
    """
    folded = _folded(name)
    if folded.isascii() and len(folded) <= MAX_KEY_LENGTH:
        return folded
    digest = hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    head = reference_key(folded)[: MAX_KEY_LENGTH - 1 - _HASH_LENGTH].strip("_")
    return f"{head or _WITHOUT_HEAD}_{digest}"


def reference_key(name: str) -> str:
    """Return the key that the reference client makes of a name, which may lose letters; empty if it loses all."""
    lowered = name.replace("@", "_at_").lower()
    return _UNDERSCORES.sub("_", _UNSAFE_IN_KEY.sub("_", lowered)).strip("_")


def former_keys(name: str) -> tuple[str, ...]:
    """Return the keys by which other clients and older versions ask for a name, but for its own.

    They may be those of other names as well. The names of production branches are none: whoever asks for ``main`` means
    no branch that lost its letters.
    """
    forms = (unicodedata.normalize("NFC", name), name, unicodedata.normalize("NFD", name))
    found = dict.fromkeys(map(reference_key, forms))
    own = branch_key(name)
    return tuple(key for key in found if key not in ("", own, VENDOR_PRODUCTION, *MAIN_BRANCHES))


def is_same_name(one: str, other: str) -> bool:
    """Say whether two git names are one, whatever form of Unicode each is written in."""
    return one == other or unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def _folded(name: str) -> str:
    """Return a name as the rule of keys has it, with the letters of other scripts in their place."""
    if name.isascii():
        return reference_key(name)
    whole = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).replace("@", "_at_").lower())
    return _UNDERSCORES.sub("_", _ASCII_UNSAFE_IN_KEY.sub("_", whole)).strip("_")


def is_main(name: str) -> bool:
    """Say whether a branch name or key is a production branch (``main`` or ``master``)."""
    return branch_key(name) in MAIN_BRANCHES


def is_personal(name: str) -> bool:
    """Say whether a branch name, or its key while it is unnamed, is that of somebody's own runs: ``user.alice``."""
    return name.lower().startswith("user.") or (name.startswith("user_") and name == branch_key(name))


def is_unnamed(name: str) -> bool:
    """Say whether a name is no more than its key, so that the first real git name for that key may replace it.

    ``main`` and ``master`` equal their keys and yet are names of their own.
    """
    return name == branch_key(name) and name not in MAIN_BRANCHES


def check_branch(name: str) -> str:
    """Return a branch name that has a key and can be stored and shown, in the form NFC; otherwise raise ValueError."""
    name = unicodedata.normalize("NFC", name) if name else name
    _check_text("branch name", name, MAX_BRANCH_LENGTH)
    if not branch_key(name):
        raise ValueError(f"the branch name {name!r} has no letter and no digit, so it has no key to be found by")
    return name


def check_project(name: str) -> str:
    """Return a project name that can stand in an address; otherwise raise ValueError."""
    return _check_name("project name", name)


def check_perimeter(name: str) -> str:
    """Return a perimeter name that can stand in an address; otherwise raise ValueError.

    Names that a site uses for itself are for that site to refuse.
    """
    return _check_name("perimeter name", name)


def check_asset_id(asset_id: str) -> str:
    """Return an asset id that can stand in an address, in the form NFC; otherwise raise ValueError."""
    return _check_segment("asset id", asset_id)


def check_alias(name: str) -> str:
    """Return an alias, written without its ``@``, that can stand in an address, in NFC; otherwise raise ValueError."""
    return _check_segment("alias", name)


def _check_segment(what: str, name: str) -> str:
    """Check a name of letters of any script, with the combining marks that many scripts are written with.

    ``é`` may be one character or two. Both look the same, so both are the same name: that of Unicode's form NFC.
    """
    name = unicodedata.normalize("NFC", name) if name else name
    _check_text(what, name, MAX_NAME_LENGTH)
    letters = name if name.isascii() or _UNSEEN_MARK.search(name) else _without_marks(name)
    if not _SEGMENT.fullmatch(letters):
        raise _not_in_an_address(what, name, _SEGMENT_RULE)
    return name


def _without_marks(name: str) -> str:
    """Return a name without the combining marks of its letters; a mark without a letter stays."""
    return name[:1] + "".join(one for one in name[1:] if unicodedata.category(one) not in ("Mn", "Mc"))


def _check_name(what: str, name: str) -> str:
    _check_text(what, name, MAX_NAME_LENGTH)
    if not _PROJECT.fullmatch(name):
        raise _not_in_an_address(what, name, _PROJECT_RULE)
    return name


def _not_in_an_address(what: str, name: str, rule: str) -> ValueError:
    return ValueError(f"the {what} {name!r} can't stand in an address: use {rule}")


def _check_text(what: str, name: str, longest: int) -> None:
    if not name:
        raise ValueError(f"the {what} is empty")
    if len(name) > longest:
        raise ValueError(f"the {what} {name[:20]!r}... has {len(name)} characters; at most {longest} are allowed")
    if _UNPRINTABLE.search(name):
        raise ValueError(f"the {what} {name!r} has a character that can't be shown")


@dataclass(frozen=True)
class BranchChoice:
    """The branches that a flow uses, by git name; see :func:`resolve_branches`."""

    write: str
    read: str
    source: Literal["spec", "metaflow"]
    """What named the write branch: the project spec of a deployment, or Metaflow's own branch of a local run."""
    notice: str | None = None
    """A sentence for the user where the choice may surprise."""
    own_first: bool = False
    """Whether the write branch is looked at before the read branch."""

    @property
    def write_key(self) -> str:
        """Canonical key of the write branch."""
        return branch_key(self.write)

    @property
    def read_key(self) -> str:
        """Canonical key of the read branch."""
        return branch_key(self.read)

    @property
    def deployed(self) -> bool:
        """Whether the flow carries a project spec, or was started with one."""
        return self.source == "spec"

    @property
    def reads_elsewhere(self) -> bool:
        """Whether reads go to another branch than writes."""
        return self.read_key != self.write_key

    @property
    def lookup_order(self) -> tuple[str, ...]:
        """Branch names to look for an asset on, in order: the read branch, then the write branch if it is another.

        With ``own_first`` it is the other way round. After ``prod``, the vendor's name for it, comes ``main``.
        """
        if not self.reads_elsewhere:
            return (self.write,)
        read = (self.read, "main") if self.read_key == VENDOR_PRODUCTION else (self.read,)
        return (self.write, *read) if self.own_first else (*read, self.write)


def resolve_branches(
    *,
    project_spec: Mapping[str, Any] | None = None,
    dev_assets_branch: str | None = None,
    own_first: bool = False,
    metaflow_branch: str | None = None,
    is_user_branch: bool = True,
) -> BranchChoice:
    """Decide which branch a flow writes to and which it reads from.

    ``project_spec`` is the record made by ``obproject-deploy`` (empty or None for a local run), ``dev_assets_branch``
    is ``[dev-assets] branch`` of ``obproject.toml``, ``own_first`` its ``own-first``, ``metaflow_branch`` is
    ``current.branch_name``, and ``is_user_branch`` is ``current.is_user_branch``: False for a run with ``--production``
    or ``--branch``.

    Raises ValueError if nothing names a usable branch.
    """
    deployed = _spec_branch(project_spec or {})
    write = check_branch(deployed or metaflow_branch or "")
    notice = None
    if deployed is None and not is_user_branch:
        notice = (
            f"This run carries no project spec, so its assets are written to Metaflow's branch {write!r}, "
            "not to a deployed branch."
        )
    return BranchChoice(
        write=write,
        read=_read_branch(write, dev_assets_branch),
        source="spec" if deployed else "metaflow",
        notice=notice,
        own_first=own_first,
    )


def _read_branch(write: str, dev_assets_branch: str | None) -> str:
    if not dev_assets_branch or is_main(write):
        return write
    read = check_branch(dev_assets_branch)
    # Two spellings of one branch: keep the one that the writes use.
    return write if branch_key(read) == branch_key(write) else read


def _spec_branch(record: Mapping[str, Any]) -> str | None:
    """Return the branch that a project spec names, preferring the git name as written to its key."""
    spec = record.get("spec")
    inner: Mapping[str, Any] = spec if isinstance(spec, Mapping) else {}
    candidates = (
        record.get("branch_name"),
        inner.get("branch_name"),
        inner.get("project_branch"),
        record.get("branch"),
    )
    return next((name for name in candidates if isinstance(name, str) and name), None)
