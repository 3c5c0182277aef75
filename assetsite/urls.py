"""Every address of the site. The pages come last: their first segment may be the name of any perimeter."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView

from assetsite.demo import demo_line
from catalog.api.unknown import Unknown
from catalog.styleguide import styleguide_page

handler400 = "access.errors.bad_request"
handler403 = "access.errors.permission_denied"
handler404 = "access.errors.page_not_found"
handler500 = "access.errors.server_error"

# only reads, so a program that writes here by mistake gets 405, not an error about a missing form token
api_root = csrf_exempt(
    login_not_required(RedirectView.as_view(pattern_name="api-docs", http_method_names=["get", "head"]))
)

urlpatterns = [
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("v1", api_root),
    path("v1/", include("catalog.api.urls")),
    path("v1/", include("lineage.api.urls")),
    path("v1/", include("telling.api.urls")),
    re_path("^v1/", Unknown.as_view()),
    *([path("styleguide/", styleguide_page)] if settings.DEBUG else []),
    path("~demo", demo_line, name="demo"),
    path("", include("access.urls")),
    path("", include("telling.pages.urls")),
    path("", include("promoting.pages.urls")),
    path("", include("comparing.pages.urls")),
    path("", include("lineage.pages.urls")),
    path("", include("catalog.pages.urls")),
]
