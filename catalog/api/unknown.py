"""Every other address below /v1."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.errors import NotFound
from catalog.apikit.view import CatalogView

Json = dict[str, Any]


class Unknown(CatalogView):
    """Every other address below /v1."""

    @extend_schema(exclude=True)
    def get(self, request: Request, **address: str) -> Response:
        raise NotFound("There is nothing at this address; /v1/docs lists what there is.")

    post = put = patch = delete = get
