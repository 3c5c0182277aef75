"""Values as JSON: the answers of the API, and the twins of pages.

It is written by orjson. What that does not take (whole numbers of more than 64 bits, lone surrogates, keys that are no
strings, more than 250 levels) is written by Python's own module, which is slower. A number may be spelled in
another way than Python does (`1e-7` for `1e-07`), and is the same one.
"""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

LINE_ENDS = (("\u2028".encode(), rb"\u2028"), ("\u2029".encode(), rb"\u2029"))
"""The two characters that JSON has in a string, and older JavaScript had not; as UTF-8, and escaped."""


class Encoder(JSONEncoder):
    """Times, ids and rows as Django REST framework writes them, and `orjson.Fragment`, which is JSON already."""

    def default(self, obj: Any) -> Any:
        return json.loads(orjson.dumps(obj)) if isinstance(obj, orjson.Fragment) else super().default(obj)


_other = Encoder().default


class FastJSONRenderer(JSONRenderer):
    """The API's renderer. Whoever asks for lines (`Accept: application/json; indent=2`) gets them."""

    encoder_class = Encoder

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if accepted_media_type and ";" in accepted_media_type:
            indented: bytes = super().render(data, accepted_media_type, renderer_context)
            return indented
        return b"" if data is None else as_json(data)


def as_json(value: Any) -> bytes:
    """In UTF-8, without spaces. A part that is JSON already, such as a column's text, comes as `orjson.Fragment`."""
    try:
        written = orjson.dumps(value, default=_other, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except orjson.JSONEncodeError:
        return json.dumps(value, cls=Encoder, separators=(",", ":"), allow_nan=False).encode()
    for character, escaped in LINE_ENDS:
        if character in written:
            written = written.replace(character, escaped)
    return written


class Answer(HttpResponse):
    """An answer of the API that is written when it is made: `data`, or nothing at all for None."""

    def __init__(self, data: Any, status: int = 200) -> None:
        self.data = data
        super().__init__(b"" if data is None else as_json(data), status=status, content_type="application/json")
        if data is None:
            del self.headers["Content-Type"]


def json_answer(value: Any) -> HttpResponse:
    """The answer of a page's twin."""
    return Answer(value)
