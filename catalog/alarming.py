"""Which branches alarm: where something late or unusual is told, and needs attention.

These are the production branches, and those of which a deploy stands; never somebody's own. What is late elsewhere is
shown as late, and nobody is told. The rule is here in Python, for querysets, and as SQL; a test holds them together.
"""

from django.db.models import F, Q

from catalog.models import Branch
from obproject.branches import MAIN_BRANCHES, is_personal


def alarms(branch: Branch) -> bool:
    """Whether what is late or unusual on a branch is told."""
    return (branch.key in MAIN_BRANCHES or branch.spec_id is not None) and not is_personal(branch.name)


def alarming(way: str = "") -> Q:
    """The same as a condition; `way` leads to the branch: `branch__` for assets."""
    unnamed = Q(**{f"{way}git_name": ""}) | Q(**{f"{way}git_name": F(f"{way}key")})
    own = Q(**{f"{way}git_name__istartswith": "user."}) | unnamed & Q(**{f"{way}key__startswith": "user_"})
    return (Q(**{f"{way}key__in": MAIN_BRANCHES}) | Q(**{f"{way}spec__isnull": False})) & ~own


ALARMING = f"""
    (branch.key IN ({", ".join(f"'{key}'" for key in MAIN_BRANCHES)}) OR branch.spec_id IS NOT NULL)
    AND NOT (
        LOWER(branch.git_name) LIKE 'user.%%'
        OR branch.git_name IN ('', branch.key) AND SUBSTR(branch.key, 1, 5) = 'user_'
    )
"""
"""The same as SQL, of a row `branch`, with its per cent signs doubled as statements take them."""
