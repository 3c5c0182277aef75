"""Names of :mod:`obproject.events` and :mod:`obproject.triggers`, where code for other clients looks for them.

The package itself, ``obproject``, is the place to import them from.
"""

from obproject.events import ProjectEvent
from obproject.triggers import project_trigger

__all__ = ["ProjectEvent", "project_trigger"]
