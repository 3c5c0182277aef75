"""The address that people type: how it is read, what the settings make of it, and how a request is taken behind it."""

import runpy
from io import BytesIO

import pytest
from django.core.handlers.wsgi import WSGIRequest

from access.checks import check_mode
from assetsite.public_address import PublicAddress, behind, trusted_origin, without
from tests.places import place

TEAM = {"ASSETSITE_MODE": "team", "ASSETSITE_SECRET_KEY": "k" * 60}


@pytest.fixture
def configured(monkeypatch, tmp_path):
    """What the settings are with these variables."""

    def configured(**environment):
        for name, value in {"ASSETSITE_HOME": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(place("assetsite/settings.py")))

    return configured


@pytest.mark.parametrize(
    ("written", "meant", "script_name"),
    [
        ("https://h.example/assets", "https://h.example/assets/", "/assets"),
        ("https://H.example:443/assets/", "https://h.example/assets/", "/assets"),
        ("http://h.example:80", "http://h.example/", ""),
        ("http://h.example:8080/a/b/", "http://h.example:8080/a/b/", "/a/b"),
        ("https://h.example/our%20site/", "https://h.example/our%20site/", "/our site"),
        ("https://h.example/a+b~c@d/", "https://h.example/a+b~c@d/", "/a+b~c@d"),
        ("https://bücher.example/données", "https://xn--bcher-kva.example/donn%C3%A9es/", "/données"),
        ("https://[::1]:8443/assets", "https://[::1]:8443/assets/", "/assets"),
    ],
)
def test_an_address_is_read(written, meant, script_name):
    address = PublicAddress.of(written)
    assert (address.url, address.script_name) == (meant, script_name)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("h.example/assets", "is no http or https address"),
        ("ftp://h.example", "is no http or https address"),
        ("https://h.example/a b", "is no http or https address"),
        ("https://h.example:0", "is no http or https address"),
        ("https://h.example:99999", "whose host or port is none"),
        ("https://[zz]/", "whose host or port is none"),
        ("https://my_host/", "'my_host' is no name of a host"),
        ("https://*.example/", "is no name of a host"),
        ("https://u:secret@h.example/", "holds a user or password"),
        ("https://h.example/?a=1", "leave out the '?' or '#'"),
        ("https://h.example/#", "leave out the '?' or '#'"),
        ("https://h.example/a//b", "'' can't stand"),
        ("https://h.example/../b", "'..' can't stand"),
        ("https://h.example/a%2Fb", "'a%2Fb' can't stand"),
        ("https://h.example/%ff", "'%ff' can't stand"),
        ("https://h.example/50%", "'50%' can't stand"),
    ],
)
def test_what_is_no_address_is_told(written, said):
    with pytest.raises(ValueError, match=r"^(is|has|holds) ") as told:
        PublicAddress.of(written)
    assert said in str(told.value)
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://a:8443", "https://a:8443"),
        ("http://A:80/", "http://a"),
        ("https://*.b.example", "https://*.b.example"),
    ],
)
def test_a_trusted_origin_is_read_as_browsers_write_it(written, meant):
    assert trusted_origin(written) == meant


@pytest.mark.parametrize("written", ["a.example", "*", "https://*", "https://a/b", "https://a?x", "https://u@a"])
def test_what_is_no_origin_is_told(written):
    with pytest.raises(ValueError, match=r"^(is|has|holds) "):
        trusted_origin(written)


@pytest.mark.parametrize(
    ("sub_path", "sent", "meant"),
    [
        ("/assets", "/assets/alpha", "/alpha"),
        ("/assets", "/alpha", "/alpha"),
        ("/assets", "/assets", "/"),
        ("/assets", "/assets/", "/"),
        ("/assets", "/assetsite", "/assetsite"),
        ("/assets", "/assets/assets/churn", "/assets/churn"),
        ("/assets", "/assets/healthz", "/healthz"),
        ("/assets", "/healthz", "/healthz"),
        ("/a/b", "/a", "/a"),
        ("", "/alpha", "/alpha"),
    ],
)
def test_the_sub_path_is_taken_off_once_if_the_proxy_has_not(sub_path, sent, meant):
    assert without(sub_path, sent) == meant


def test_a_request_is_taken_as_one_for_the_public_address(settings):
    address = PublicAddress.of("https://h.example:8443/données/")
    settings.FORCE_SCRIPT_NAME, settings.ALLOWED_HOSTS = address.script_name, [address.host]
    sent = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/données/alpha".encode().decode("latin-1"),
        "HTTP_HOST": "127.0.0.1:8000",
        "QUERY_STRING": "q=1",
    }
    asked = []
    behind(address, lambda environ, start_response: asked.append(environ) or [])(
        sent | {"wsgi.url_scheme": "http", "wsgi.input": BytesIO()}, None
    )
    request = WSGIRequest(asked[0])
    assert (request.path_info, request.get_full_path()) == ("/alpha", "/donn%C3%A9es/alpha?q=1")
    assert request.build_absolute_uri() == "https://h.example:8443/donn%C3%A9es/alpha?q=1"


def test_the_settings_follow_the_public_address(configured):
    found = configured(
        **TEAM,
        ASSETSITE_PUBLIC_URL="https://h.example:8443/our%20assets",
        ASSETSITE_TRUSTED_ORIGINS="https://a:8443, https://*.b.example",
        ASSETSITE_TRUST_PROXY="true",
    )
    assert found["ALLOWED_HOSTS"] == ["h.example"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://a:8443", "https://*.b.example"]
    assert (found["FORCE_SCRIPT_NAME"], found["STATIC_URL"]) == ("/our assets", "/our%20assets/static/")
    assert found["SESSION_COOKIE_PATH"] == found["CSRF_COOKIE_PATH"] == "/our%20assets/"
    assert found["SESSION_COOKIE_SECURE"] is found["CSRF_COOKIE_SECURE"] is True
    assert found["SPECTACULAR_SETTINGS"]["SERVERS"] == [{"url": "https://h.example:8443/our%20assets"}]
    # a host is shared below a sub-path, so what browsers remember of all of it stays with ASSETSITE_TLS
    assert (found["SECURE_HSTS_SECONDS"], found["SECURE_SSL_REDIRECT"]) == (0, False)
    assert "SECURE_PROXY_SSL_HEADER" not in found


def test_without_one_they_are_as_ever(configured):
    found = configured(**TEAM, ASSETSITE_ALLOWED_HOSTS="h.example", ASSETSITE_TRUST_PROXY="true")
    assert found["PUBLIC_ADDRESS"] is None
    assert (found["FORCE_SCRIPT_NAME"], found["STATIC_URL"], found["ALLOWED_HOSTS"]) == ("", "/static/", ["h.example"])
    assert found["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert "SESSION_COOKIE_PATH" not in found


@pytest.mark.parametrize("name", ["ASSETSITE_PUBLIC_URL", "ASSETSITE_TRUSTED_ORIGINS"])
def test_a_wrong_value_ends_the_start_with_a_sentence(configured, name):
    with pytest.raises(SystemExit, match=f"\n  {name} has 'nonsense'"):
        configured(**TEAM, **{name: "nonsense"})


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"ASSETSITE_PUBLIC_URL": "http://127.0.0.1:8000/"}, "access.E005"),
        ({**TEAM, "ASSETSITE_PUBLIC_URL": "http://h.example/", "ASSETSITE_TLS": "true"}, "access.E006"),
        ({**TEAM, "ASSETSITE_PUBLIC_URL": "https://h.example/v1/"}, "access.E007"),
        ({**TEAM, "ASSETSITE_PUBLIC_URL": "https://h.example/assets/", "ASSETSITE_TLS": "true"}, None),
    ],
)
def test_what_contradicts_the_public_address_is_told(configured, settings, environment, code):
    found = configured(**environment)
    for name in ("MODE", "LOCAL_MODE", "ALLOWED_HOSTS", "PUBLIC_ADDRESS", "SECRET_KEY"):
        setattr(settings, name, found[name])
    settings.SECURE_SSL_REDIRECT = found.get("SECURE_SSL_REDIRECT", False)
    assert [problem.id for problem in check_mode(None)] == ([code] if code else [])
