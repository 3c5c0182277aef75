"""The addresses of the v1 API."""

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from access.api import me
from access.authentication import SignedIn
from catalog.api import aliases, assets, deprecations, gating, highlights, normals, registering, requests, runs, specs
from catalog.api.reference import api_page
from catalog.apikit.routes import ASSET, BRANCH

urlpatterns = [
    # what flows ask for comes first, as addresses are tried in this order
    path(f"{ASSET}/instances/<str:reference>", assets.InstanceDetail.as_view(), name="api-instance"),
    path(ASSET, assets.AssetDetail.as_view(), name="api-asset"),
    path(f"{BRANCH}/<kind:kind>", assets.AssetList.as_view(), name="api-assets"),
    path(
        f"{ASSET}/instances/<str:reference>/deprecation",
        deprecations.InstanceDeprecation.as_view(),
        name="api-deprecation",
    ),
    path(f"{ASSET}/normal", normals.Normal.as_view(), name="api-normal"),
    path(f"{ASSET}/recover", deprecations.Recovery.as_view(), name="api-recover"),
    path(f"{ASSET}/aliases", aliases.AliasList.as_view(), name="api-aliases"),
    path(f"{ASSET}/aliases/<str:alias>", aliases.AliasDetail.as_view(), name="api-alias"),
    path(f"{ASSET}/aliases/<str:alias>/check", gating.AliasCheck.as_view(), name="api-alias-check"),
    path(f"{ASSET}/promotions/check", gating.PromotionCheck.as_view(), name="api-promotion-check"),
    path(f"{ASSET}/alias-history", aliases.AliasHistory.as_view(), name="api-alias-history"),
    path(f"{ASSET}/requests", requests.RequestList.as_view(), name="api-requests"),
    path(f"{ASSET}/requests/<int:request_id>", requests.RequestDetail.as_view(), name="api-request"),
    path(f"{ASSET}/requests/<int:request_id>/approvals", requests.RequestApprovals.as_view(), name="api-approvals"),
    path(f"{BRANCH}/latestflowproject", specs.LatestSpec.as_view(), name="api-spec"),
    path(f"{BRANCH}/flowprojects", specs.Specs.as_view(), name="api-specs"),
    path(f"{BRANCH}/deploys", specs.Deploys.as_view(), name="api-deploys"),
    path(f"{BRANCH}/gates/check", gating.GatesCheck.as_view(), name="api-gates-check"),
    path(f"{BRANCH}/registrations", registering.Registrations.as_view(), name="api-registrations"),
    path(f"{BRANCH}/runs", runs.RunList.as_view(), name="api-runs"),
    path(f"{BRANCH}/highlights", highlights.Highlights.as_view(), name="api-highlights"),
    path("perimeters/<str:perimeter>/flowprojects", specs.PostSpec.as_view(), name="api-post-spec"),
    path("perimeters/<str:perimeter>/confirmations", assets.Confirmations.as_view(), name="api-confirmations"),
    path("me", me, name="api-me"),
    path("openapi.json", SpectacularJSONAPIView.as_view(permission_classes=[SignedIn]), name="api-openapi"),
    path("docs", api_page, name="api-docs"),
]
