"""The body of a highlight: type and size are checked, and it is converted to the form in which it is stored."""

import base64
import binascii
from typing import Any

from rest_framework import serializers

from catalog import limits
from catalog.entities import Entity
from catalog.recording import Highlighted
from catalog.wire.bodies import (
    Anything,
    Body,
    BranchName,
    Choice,
    ClientId,
    DatastoreBody,
    EntityRefBody,
    Text,
    WholeNumber,
)

Json = dict[str, Any]
MARKS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}
"""The first bytes of an image, by its type."""


class Number(serializers.Field):
    """A JSON number, or null for a gap."""

    def __init__(self) -> None:
        super().__init__(allow_null=True)

    def to_internal_value(self, data: Any) -> float:
        if not isinstance(data, int | float) or isinstance(data, bool):
            raise serializers.ValidationError("must be a number or null.")
        return data

    def to_representation(self, value: float) -> float:
        return value


def texts(most: int, length: int) -> serializers.ListField:
    """A list of at most `most` texts, each of at most `length` characters."""
    return serializers.ListField(child=Text(max_length=length, allow_blank=True), max_length=most, required=False)


class ColumnBody(Body):
    """A figure with a few words below it."""

    big = Text(max_length=limits.HIGHLIGHT_FIGURE_LENGTH, allow_blank=True)
    small = Text(max_length=limits.HIGHLIGHT_CAPTION_LENGTH, allow_blank=True)


class SeriesBody(Body):
    name = Text(max_length=limits.HIGHLIGHT_CAPTION_LENGTH, allow_blank=True)
    values = serializers.ListField(child=Number(), min_length=1, max_length=limits.HIGHLIGHT_POINTS)


class ChartBody(Body):
    kind = Choice(["line", "bar"])
    caption = Text(max_length=limits.HIGHLIGHT_CAPTION_LENGTH, allow_blank=True, default="")
    x = texts(limits.HIGHLIGHT_POINTS, limits.HIGHLIGHT_CAPTION_LENGTH)
    series = serializers.ListField(child=SeriesBody(), min_length=1, max_length=limits.HIGHLIGHT_SERIES)


class ImageBody(Body):
    """An image as a data URI; anything else is refused. `src` is empty if the image is not stored."""

    src = Text(allow_blank=True, default="")
    alt = Text(max_length=limits.HIGHLIGHT_CAPTION_LENGTH, allow_blank=True, default="")

    def validate_src(self, src: str) -> tuple[str, bytes] | None:
        if not src:
            return None
        head, _, encoded = src.partition(",")
        if not head.startswith("data:") or not head.endswith(";base64"):
            raise serializers.ValidationError("must be a data URI in base64.")
        try:
            image = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError("is no valid base64.") from None
        return _kept(head.removeprefix("data:").removesuffix(";base64"), image)


def _kept(image_type: str, image: bytes) -> tuple[str, bytes] | None:
    """The image; None if it is too large, or may be more than a picture."""
    fits = len(image) <= limits.HIGHLIGHT_IMAGE_BYTES and image_type in limits.HIGHLIGHT_IMAGE_TYPES
    return (image_type, image) if fits and image.startswith(MARKS[image_type]) else None


class HighlightContentBody(Body):
    """The data of a highlight as `Highlight.as_data` of the client gives them."""

    title = Text(max_length=limits.HIGHLIGHT_TITLE_LENGTH, allow_blank=True, default="")
    labels = texts(limits.HIGHLIGHT_LABELS, limits.HIGHLIGHT_LABEL_LENGTH)
    synopsis = texts(limits.HIGHLIGHT_LINES, limits.HIGHLIGHT_LINE_LENGTH)
    highlight_type = Choice(["columns", "image", "chart"], default="columns")
    highlight_body = Anything(
        required=False,
        help_text="columns: [{big, small}]. image: {src, alt}, src a data URI of a PNG, JPEG or GIF. "
        "chart: {kind: line or bar, caption, x: [text], series: [{name, values: [number or null]}]}.",
    )

    def validate(self, content: Json) -> Json:
        body = content.get("highlight_body")
        match content["highlight_type"]:
            case "chart":
                checked: serializers.BaseSerializer[Any] = ChartBody(data=body)
            case "image":
                checked = ImageBody(data=body or {})
            case _:
                checked = _Columns(data={"columns": body or []})
        if not checked.is_valid():
            raise serializers.ValidationError({"highlight_body": dict(checked.errors)})
        shown = checked.validated_data
        return content | {"highlight_body": shown.get("columns", shown)}


class _Columns(Body):
    columns = serializers.ListField(child=ColumnBody(), max_length=limits.HIGHLIGHT_COLUMNS)


class HighlightBody(Body):
    entity_ref = EntityRefBody()
    attempt = WholeNumber(min_value=0, max_value=limits.ATTEMPTS, required=False, allow_null=True)
    datastore = DatastoreBody(required=False, allow_null=True)
    branch_name = BranchName(required=False, allow_null=True)
    content = HighlightContentBody()
    id = ClientId("h", help_text="Becomes the id of the highlight; sent again, it shows nothing anew.")

    @property
    def entity(self) -> Entity:
        said = self.validated_data["entity_ref"]
        return Entity(said["entity_kind"], said["entity_id"])

    def highlighted(self) -> Highlighted:
        said = self.validated_data
        content, datastore = dict(said["content"]), said.get("datastore") or {}
        image_type, image = "", None
        if content["highlight_type"] == "image":
            body = content["highlight_body"]
            image_type, image = body["src"] or ("", None)
            content["highlight_body"] = {"alt": body["alt"]}
        return Highlighted(
            title=content.pop("title"),
            content={"labels": [], "synopsis": []} | content,
            image=image,
            image_type=image_type,
            attempt=said.get("attempt"),
            datastore_type=datastore.get("type", ""),
            datastore_root=datastore.get("root", ""),
            datastore_cards=datastore.get("cards"),
        )
