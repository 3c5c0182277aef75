"""The further keys of branches: what other clients and older versions make of names that lose letters in it.

A branch is found by its own key without any question. Only where there is none of this key are the further ones looked
at, and the request is done anew at the own key of the branch that is found: nothing else needs to know of them.
"""

from collections.abc import Iterable

from access.errors import Conflict, NotFound
from catalog.models import Branch, BranchKey
from catalog.statements import further_key
from obproject.branches import branch_key, former_keys

LONGEST = 255
NAMED = 5


class KnownByOtherKey(NotFound):
    """The address names a branch by a further key. `key` is its own, at which to do the request anew."""

    def __init__(self, asked: str, key: str) -> None:
        super().__init__(f"The branch '{asked}' is found by its own key, '{key}'.", branch=asked)
        self.key = key


def look_elsewhere(perimeter: int, project: str, key: str) -> None:
    """Where no branch has this key for its own: raise KnownByOtherKey if one has it besides, Conflict if several do."""
    row = further_key.one(perimeter=perimeter, project=project, key=key)
    if row is None or row.branch.key == key:
        return
    if row.shared:
        raise shared_by_several(row.branch, key)
    raise KnownByOtherKey(key, row.branch.key)


def own_key(perimeter: int, project: str, name: str) -> str:
    """The own key of the branch that a name or a key means, whether or not that branch is there."""
    key = branch_key(name)
    row = further_key.one(perimeter=perimeter, project=project, key=key)
    return key if row is None or row.shared else row.branch.key


def claim_keys(branch: Branch, name: str) -> None:
    """Let a branch be found by all keys that clients make of a name; what two branches are called is neither's."""
    former = former_keys(name)
    for key in dict.fromkeys((branch_key(name), *former)):
        if key == branch.key or len(key) > LONGEST:
            continue
        owner = Branch.objects.filter(project=branch.project_id, key=key).first()
        if owner and key not in former_keys(owner.name):
            continue  # it is the key of a name that loses nothing, or that nobody knows
        new = BranchKey(project_id=branch.project_id, key=key, branch=owner or branch, shared=owner is not None)
        BranchKey.objects.bulk_create([new], ignore_conflicts=True)
        taken = BranchKey.objects.filter(project=branch.project_id, key=key, shared=False).exclude(branch=branch)
        taken.update(shared=True)


def refuse_if_shared(branch: Branch) -> None:
    """Raise Conflict if another branch has the same own key by an older rule, so that a key alone names neither."""
    if branch.git_name.isascii() or branch.key not in former_keys(branch.git_name):
        return
    if BranchKey.objects.of(branch).filter(key=branch.key, shared=True).exists():
        raise shared_by_several(branch, branch.key)


def names_of(branch: Branch) -> list[str]:
    """The further keys that lead to a branch."""
    return list(BranchKey.objects.of(branch).filter(shared=False).order_by("key").values_list("key", flat=True))


def shared_by_several(first: Branch, key: str) -> Conflict:
    """The refusal of a key that several branches would have: it names them, and the keys that are theirs alone."""
    others = Branch.objects.filter(project=first.project_id, key__startswith=key.rstrip("_")).exclude(pk=first.pk)
    found = [first, *(row for row in others.order_by("pk") if key in former_keys(row.name))]
    names, own = _listed(row.name for row in found), _listed(branch_key(row.name) for row in found)
    return Conflict(
        f"The key '{key}' is what several branches are called by clients that leave out their letters: {names}. "
        f"Ask by their names, or by their own keys: {own}.",
        branch=key,
        branches=[row.name for row in found],
    )


def _listed(words: Iterable[str]) -> str:
    quoted = [f"'{word}'" for word in words]
    return ", ".join(quoted[:NAMED]) + (" and more" if len(quoted) > NAMED else "")
