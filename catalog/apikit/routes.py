"""Patterns of the addresses of the v1 API, also used by lineage."""

from django.urls import register_converter

from catalog.states import Kind


class KindConverter:
    regex = "|".join(Kind.values)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(KindConverter, "kind")

BRANCH = "perimeters/<str:perimeter>/projects/<str:project>/branches/<str:branch>"
ASSET = f"{BRANCH}/<kind:kind>/<str:asset_id>"
