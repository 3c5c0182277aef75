"""The WSGI environment is that of PEP 3333, for each request that the server hands over."""

import pytest

from assetsite.serving.environ import environ_of
from tests.serving.rsgi import Headers, Scope


def environ(*headers: tuple[str, str], body: bytes = b"", **scope: str) -> dict[str, object]:
    seen = Scope(headers=Headers(headers), **scope)  # type: ignore[arg-type]
    return environ_of(seen, seen.path, seen.headers, body)


def test_it_says_what_was_asked_by_whom() -> None:
    seen = environ(("host", "a.example:80"), method="PUT", path="/v1//x", query_string="q=%C3%A9", client="[::1]:51")
    expected = {
        "REQUEST_METHOD": "PUT",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/v1//x",
        "QUERY_STRING": "q=%C3%A9",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "::1",
        "REMOTE_PORT": "51",
        "HTTP_HOST": "a.example:80",
        "wsgi.url_scheme": "http",
    }
    assert {name: seen[name] for name in expected} == expected


def test_text_that_is_no_ascii_is_bytes_as_latin_1() -> None:
    seen = environ(path="/é/你", query_string="q=é")
    assert seen["PATH_INFO"] == "/é/你".encode().decode("latin-1")
    assert seen["QUERY_STRING"] == "q=é".encode().decode("latin-1")


def test_the_length_is_that_of_what_was_read() -> None:
    seen = environ(("content-type", "a/b"), ("transfer-encoding", "chunked"), body=b"abc")
    assert (seen["CONTENT_TYPE"], seen["CONTENT_LENGTH"]) == ("a/b", "3")
    assert seen["wsgi.input"].read() == b"abc"  # type: ignore[attr-defined]
    assert environ(("content-length", "0"))["CONTENT_LENGTH"] == ""


def test_repeated_headers_are_joined() -> None:
    seen = environ(("a", "1"), ("cookie", "a=1"), ("a", "2"), ("cookie", "b=2"), ("host", "x"), ("host", "y"))
    assert (seen["HTTP_A"], seen["HTTP_COOKIE"], seen["HTTP_HOST"]) == ("1,2", "a=1; b=2", "x,y")


def test_a_name_with_an_underscore_passes_for_no_other() -> None:
    seen = environ(("x_api_key", "forged"), ("remote_addr", "forged"), ("x_forwarded_for", "é"))
    assert "forged" not in seen.values()
    assert not {"HTTP_X_API_KEY", "HTTP_X_FORWARDED_FOR", ""} & seen.keys()


def test_a_header_that_is_no_ascii_is_there() -> None:
    """Else a request through a proxy would look as if it had come straight to local mode."""
    assert environ(("x-forwarded-for", "é"), ("host", "x"))["HTTP_X_FORWARDED_FOR"] == ""


@pytest.mark.parametrize("headers", [(), (("accept", "*/*"),)])
def test_a_request_without_a_host_asks_for_none(headers: tuple[tuple[str, str], ...]) -> None:
    assert environ(*headers)["HTTP_HOST"] == ""
