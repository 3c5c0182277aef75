"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path

from assetsite.health import healthz

handler400 = "access.errors.bad_request"
handler403 = "access.errors.permission_denied"
handler404 = "access.errors.page_not_found"
handler500 = "access.errors.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("v1/", include("catalog.api.urls")),
    path("", include("access.urls")),
]
