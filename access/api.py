"""The API's answer to "who am I?"."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from access.identity import Viewer, viewer_of
from access.models import Role


class GrantSerializer(serializers.Serializer[Any]):
    perimeter = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.values)
    branches = serializers.ListField(
        child=serializers.CharField(), help_text="Patterns of the branches that may be written to; empty for all."
    )


class MeSerializer(serializers.Serializer[Any]):
    user = serializers.CharField()
    mode = serializers.ChoiceField(choices=["local", "team"])
    perimeters = GrantSerializer(many=True)


@extend_schema(responses=MeSerializer, operation_id="me", summary="Who the server takes the caller for")
@api_view(["GET"])
def me(request: Request) -> Response:
    """The caller's name, the server's mode, and the caller's role in each perimeter that it can see."""
    return Response(description_of(viewer_of(request)))


def description_of(viewer: Viewer) -> dict[str, Any]:
    return {
        "user": viewer.user.get_username(),
        "mode": settings.MODE,
        "perimeters": [
            {"perimeter": name, "role": grant.role.value, "branches": viewer.branch_patterns}
            for name, grant in sorted(viewer.grants.items())
        ],
    }
