"""The settings of the sites that tests serve: a site's own, with templates that are compiled once for all of them."""

from assetsite.settings import *  # noqa: F403
from assetsite.settings import TEMPLATES
from tests import compiled

compiled.keep(TEMPLATES)
