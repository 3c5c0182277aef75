"""Every address of the site, and two views that do nothing but reach the database once: the yardstick for the API."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from bench.counting import newest
from bench.models import Row


@csrf_exempt
@login_not_required
def bare_insert(request: HttpRequest) -> JsonResponse:
    row = Row.objects.create(name="bare", at=timezone.now())
    return JsonResponse({"id": row.pk, "name": row.name, "at": row.at})


@login_not_required
def bare_select(request: HttpRequest) -> JsonResponse:
    row = Row.objects.get(pk=1)
    return JsonResponse({"id": row.pk, "name": row.name, "at": row.at})


@login_not_required
def bare_requests(request: HttpRequest) -> JsonResponse:
    """The requests that were answered since this one was asked for, of a site with one process."""
    answer = JsonResponse({"requests": list(newest)})
    newest.clear()
    return answer


urlpatterns = [
    path("bare/requests", bare_requests),
    path("bare/insert", bare_insert),
    path("bare/select", bare_select),
    path("", include("assetsite.urls")),
]
