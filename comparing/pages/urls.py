"""Addresses of the pages that compare. They come before those of the catalogue, whose instances may have any name."""

from django.urls import path

from catalog.pagekit.routes import ASSET, PROJECT
from comparing.pages import routes as routes  # registers the converters
from comparing.pages.branches import branches_page
from comparing.pages.versions import versions_page

urlpatterns = [
    path(f"{PROJECT}/compare/<written:base>...<written:branch><form:suffix>", branches_page, name="compare-branches"),
    path(f"{ASSET}/compare<twin:twin>", versions_page, name="compare-versions"),
]
