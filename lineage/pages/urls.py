"""Addresses of the lineage pages. They come before those of the catalogue, whose instances may have any name."""

from django.urls import path

from catalog.pagekit.routes import ASSET, BRANCH, INSTANCE
from lineage.pages import routes as routes  # registers the converters
from lineage.pages.component import component_page
from lineage.pages.views import asset_lineage, branch_lineage, instance_lineage

urlpatterns = [
    path(f"{BRANCH}/lineage<suffix:suffix>", branch_lineage, name="branch-lineage"),
    path(f"{ASSET}/lineage<suffix:suffix>", asset_lineage, name="asset-lineage"),
    path(f"{INSTANCE}/lineage<suffix:suffix>", instance_lineage, name="instance-lineage"),
    path(f"{BRANCH}/<components:kind>/<component:name><twin:twin>", component_page, name="component"),
]
