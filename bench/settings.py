"""The settings of the site, with two bare views beside it and the number of queries in a header of each answer."""

from assetsite.settings import *  # noqa: F403
from assetsite.settings import INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [*INSTALLED_APPS, "bench"]
MIDDLEWARE = ["bench.counting.QueryCount", *MIDDLEWARE]
ROOT_URLCONF = "bench.urls"
