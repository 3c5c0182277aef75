"""What Django REST framework does before and after a view, in short where a call asks for nothing special."""

from typing import Any

from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from catalog.wire.rendering import Answer, FastJSONRenderer

ANYTHING = ("*/*", "application/json", "")
"""What a call accepts to which JSON is the answer without asking further; no header is the same as `*/*`."""


class JsonView(APIView):
    """A view whose answers are JSON. What a call accepts is negotiated as ever if it says more than that."""

    renderer_classes = (FastJSONRenderer,)
    renderer = FastJSONRenderer()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        says_more = request.META["QUERY_STRING"] and api_settings.URL_FORMAT_OVERRIDE in request.GET
        if request.META.get("HTTP_ACCEPT", "") in ANYTHING and not says_more:
            return self.renderer, FastJSONRenderer.media_type
        return super().perform_content_negotiation(request, force)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Also has an answer written in lines for who asks for them."""
        if isinstance(response, Answer) and ";" in request.accepted_media_type:
            written = request.accepted_renderer.render(response.data, request.accepted_media_type, {})
            response.content = written
        return super().finalize_response(request, response, *args, **kwargs)
