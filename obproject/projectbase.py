"""Where code for other clients looks for :class:`ProjectFlow`, and for the public client's rule of branches.

The package itself, ``obproject``, is the place to import flows from. Which branches they use is decided by
:func:`obproject.branches.resolve_branches`.
"""

from collections.abc import Mapping
from typing import Any

from obproject.branches import VENDOR_PRODUCTION, is_main
from obproject.flow import ProjectFlow

__all__ = ["ProjectFlow", "resolve_scope"]


def resolve_scope(
    project_config: Mapping[str, Any], project_spec: Mapping[str, Any] | None = None
) -> tuple[str, str | None]:
    """Return a project's name, and the branch that the public client reads for it: in Metaflow's name, else git's.

    ``project_config`` is what ``obproject.toml`` says, ``project_spec`` what a deploy wrote. What is deployed for
    production reads itself, anything else what ``[dev-assets]`` names, if it names a branch. The branch is None for a
    local run that reads what it writes.
    """
    record = project_spec or {}
    own = (record.get("spec") or {}).get("metaflow_branch") or record.get("branch")
    named = (project_config.get("dev-assets") or {}).get("branch")
    return str(project_config["project"]), own if own and _is_production(own) else named or own


def _is_production(branch: str) -> bool:
    return branch.split(".")[0] == VENDOR_PRODUCTION or is_main(branch)
