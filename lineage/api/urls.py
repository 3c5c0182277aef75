"""The addresses of lineage in the v1 API."""

from django.urls import path

from catalog.apikit.routes import ASSET, BRANCH
from lineage.api import views

urlpatterns = [
    path(f"{BRANCH}/lineage", views.BranchLineage.as_view(), name="api-lineage"),
    path(f"{BRANCH}/lineage/impact", views.Impact.as_view(), name="api-impact"),
    path(f"{BRANCH}/lineage/paths", views.Paths.as_view(), name="api-paths"),
    path(f"{ASSET}/lineage", views.AssetLineage.as_view(), name="api-asset-lineage"),
    path(f"{ASSET}/instances/<str:reference>/lineage", views.InstanceLineage.as_view(), name="api-instance-lineage"),
]
