"""Addresses of the pages that compare. They come before those of the catalogue, whose instances may have any name."""

from django.urls import path

from catalog.pagekit.routes import PROJECT
from comparing.pages import routes as routes  # registers the converters
from comparing.pages.branches import branches_page

urlpatterns = [
    path(f"{PROJECT}/compare/<written:base>...<written:branch><form:suffix>", branches_page, name="compare-branches"),
]
