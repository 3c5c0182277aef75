"""Authentication in the OpenAPI document."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class ViewerScheme(OpenApiAuthenticationExtension):
    """Describes `ViewerAuthentication`: three ways, each enough by itself."""

    target_class = "access.authentication.ViewerAuthentication"
    name = ["token", "bearer", "session"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "apiKey", "in": "header", "name": "x-api-key"},
            {"type": "http", "scheme": "bearer"},
            {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
        ]
