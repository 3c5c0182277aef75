"""Addresses and receivers that mean harm: nothing is sent inside, nothing takes longer or more than was allowed."""

import gzip
import ipaddress
import re
import socket
import ssl
import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.utils import timezone

from telling import networks
from telling.bounded import Bounds, pools_within
from telling.networks import Refused, check_url
from telling.sending import MOST_BYTES, post
from tests.telling.receivers import listening, receiver

HEADERS = {"content-type": "application/json"}
DEADLINE = 0.2
LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


@pytest.fixture
def loopback(settings):
    settings.WEBHOOK_NETWORKS = [LOOPBACK]


@pytest.fixture
def names(monkeypatch):
    """A resolver that answers what a test says; a list is answered one by one."""
    known: dict[str, list[list[str]]] = {}
    asked: list[str] = []

    def answer(host, port, *_, **__):
        asked.append(host)
        turns = known.get(host, [[host]])
        found = turns.pop(0) if len(turns) > 1 else turns[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(networks.socket, "getaddrinfo", answer)
    known["asked"] = asked
    return known


# Addresses

SYNTAX = {
    "ftp://hooks.example.com/": "begin with https://",
    "file:///etc/passwd": "begin with https://",
    "gopher://127.0.0.1:6379/_": "begin with https://",
    "https:///x": "begin with https://",
    "https://ada:secret@hooks.example.com/": "user name or a password",
    "https://hooks.example.com@127.0.0.1/": "user name or a password",
    "https://hooks.example.com\\@127.0.0.1/": "backslashes",
    "https://hooks.example.com/\r\nHost: x": "control characters",
    "https://hooks.example.com/ x": "blanks",
    "https://hooks.example.com:99999/": "no address",
    "https://[::1/": "no address",
    "https://[fe80::1%25eth0]/": "percent sign",
    "https://\uff11\uff12\uff17.0.0.1/": "beyond ASCII",
    "https://ⓛocalhost/": "beyond ASCII",
    "https://hooks.example.com/#x": "never sent",
    "https://hooks.example.com/" + "x" * 2048: "longer than",
}
INSIDE = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.0.170", "192.88.99.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "fe80::1", "fec0::1", "fc00::1"),
    *("fd00:ec2::254", "ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001::1", "2001:db8::1"),
)
OUTSIDE = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946")


@pytest.mark.parametrize("url", SYNTAX)
def test_an_address_that_can_not_be_one_is_refused_before_anything_is_asked(url, names):
    with pytest.raises(Refused, match=SYNTAX[url]):
        check_url(url)
    answer = post(url, HEADERS, b"{}", DEADLINE)
    assert answer.status is None
    assert answer.error
    assert not names["asked"]


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_is_sent_inside_whether_by_address_or_by_name(address, names):
    written = f"https://[{address}]/" if ":" in address else f"https://{address}/"
    with pytest.raises(Refused, match="ASSETSITE_WEBHOOK_NETWORKS"):
        check_url(written)
    names["hooks.example.com"] = [[OUTSIDE[0], address]]
    answer = post("https://hooks.example.com/", HEADERS, b"{}", DEADLINE)
    assert "inside a network" in answer.error
    assert address in answer.error or "::ffff:" in address


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_on_the_internet_is_not_inside(address):
    assert networks.may_be_sent_to(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "localhost.", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"])
def test_other_spellings_of_loopback_are_asked_for_and_refused(host):
    check_url(f"https://{host}/")  # what it means is known once it is asked for
    answer = post(f"https://{host}/", HEADERS, b"{}", DEADLINE)
    assert "inside a network" in answer.error or "is not known" in answer.error


def test_a_name_is_asked_for_once_for_each_use_and_what_was_checked_is_connected_to(names, loopback):
    """A name that has a good address when it is checked, and another one a moment later, is asked for once."""
    with receiver() as got:
        port = got.url.split(":")[2].partition("/")[0]
        names["rebound.example.com"] = [["127.0.0.1"], ["10.0.0.1"]]
        assert post(f"http://rebound.example.com:{port}/", HEADERS, b"{}", DEADLINE).status == 204
        assert names["asked"].count("rebound.example.com") == 1
        answer = post(f"http://rebound.example.com:{port}/", HEADERS, b"{}", DEADLINE)
        assert "inside a network" in answer.error
        assert [headers["host"] for headers, _ in got.got] == [f"rebound.example.com:{port}"]


def test_http_is_for_networks_that_are_allowed(names):
    names["hooks.example.com"] = [[OUTSIDE[0]]]
    assert "needs https://" in post("http://hooks.example.com/", HEADERS, b"{}", DEADLINE).error


def test_a_network_of_ipv4_is_allowed_as_it_is_written_in_ipv6_too(loopback):
    assert networks.may_be_sent_to(ipaddress.ip_address("::ffff:127.0.0.1"))
    assert not networks.may_be_sent_to(ipaddress.ip_address("::ffff:10.0.0.1"))


def test_no_proxy_is_asked(loopback, monkeypatch):
    with listening(lambda connection: pytest.fail("asked")) as port, receiver() as got:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        assert post(got.url, HEADERS, b"{}", 2).status == 204


# Receivers


def read_request(connection):
    got = b""
    while b"\r\n\r\n{}" not in got and (more := connection.recv(65536)):
        got += more


def answering(*pieces, rest=0.0):
    def behave(connection):
        read_request(connection)
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(rest)

    return behave


def dripping(start, drop):
    def behave(connection):
        read_request(connection)
        connection.sendall(start)
        while True:
            connection.sendall(drop)
            time.sleep(0.02)

    return behave


def flooding(start, flood):
    def behave(connection):
        read_request(connection)
        connection.sendall(start)
        while True:
            connection.sendall(flood)

    return behave


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()


def silent(connection):
    read_request(connection)
    time.sleep(DEADLINE * 3)


def deaf(connection):
    time.sleep(DEADLINE * 3)


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(10_000_000))
LATE, MUCH, ODD, BROKEN = "within 0.2 seconds", "more than 64 kB", "not answer as a web server", "ended the connection"
RECEIVERS = {
    "never answers": (silent, None, LATE),
    "never reads": (deaf, None, LATE),
    "closes at once": (lambda connection: None, None, BROKEN),
    "resets": (reset, None, BROKEN),
    "slow status": (dripping(b"HTTP/1.1 ", b" "), None, LATE),
    "slow headers": (dripping(OK, b"X-A: b\r\n"), None, LATE),
    "slow header line": (dripping(OK + b"X-A: ", b"a"), None, LATE),
    "slow body": (dripping(OK + b"\r\n", b"a"), 200, LATE),
    "slow chunks": (dripping(OK + CHUNKED, b"1\r\na\r\n"), 200, LATE),
    "endless body": (flooding(OK + b"\r\n", b"a" * 9999), 200, MUCH),
    "endless chunks": (flooding(OK + CHUNKED, b"1000\r\n" + b"a" * 4096 + b"\r\n"), 200, MUCH),
    "endless header line": (flooding(OK + b"X-A: ", b"a" * 9999), None, MUCH),
    "endless headers": (flooding(OK, b"X-A: " + b"a" * 60 + b"\r\n"), None, "headers"),
    "flood of 1xx": (flooding(b"", b"HTTP/1.1 100 Continue\r\nX-A: " + b"a" * 999 + b"\r\n\r\n"), None, MUCH),
    # of which newer Pythons take a hundred
    "flood of short 1xx": (flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), None, f"{MUCH}|{ODD}"),
    "gzip bomb": (answering(OK + b"Content-Encoding: gzip\r\n\r\n" + BOMB), 200, ""),
    "length too long": (answering(OK + b"Content-Length: 99\r\n\r\nabc"), 200, ODD),
    "length too short": (answering(OK + b"Content-Length: 2\r\n\r\nabcdef"), 200, ""),
    "length no number": (answering(OK + b"Content-Length: -7\r\n\r\nabc"), 200, ""),
    "two lengths": (answering(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nabc"), None, ODD),
    "bad chunks": (answering(OK + CHUNKED + b"zz\r\n"), 200, ODD),
    "no HTTP": (answering(b"220 mail.example.com ESMTP\r\n"), None, ODD),
    "binary": (answering(bytes(range(256)) * 9), None, ODD),
    "no status": (answering(b"HTTP/1.1 abc\r\n\r\n"), None, ODD),
    "redirects inside": (answering(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n"), 302, ""),
    "redirects the method": (answering(b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\n\r\n"), 307, ""),
    "NUL and no UTF-8": (answering(OK + b"\r\na\x00\xffb"), 200, ""),
}


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_receiver_that_behaves_badly_harms_nothing(name, loopback):
    behaviour, status, said = RECEIVERS[name]
    with listening(behaviour) as port:
        began = time.monotonic()
        answer = post(f"http://127.0.0.1:{port}/", HEADERS, b"{}", DEADLINE)
        assert time.monotonic() - began < DEADLINE + 0.4
    assert answer.status == status, answer
    assert re.search(said, answer.error), answer
    assert bool(answer.error) == bool(said)
    assert len(answer.text) <= MOST_BYTES
    assert "\x00" not in answer.text
    assert "0x" not in answer.sentence  # no object of a library
    if name.startswith("redirects"):
        assert "not followed" in answer.sentence
        assert not answer.is_taken


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with the key and the certificate of hooks.example.com, which nobody has signed but itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), timezone.now()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.example.com")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example.com")]), critical=False)
    signed = made.sign(key, SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(secret + signed.public_bytes(pem))
    return file


@pytest.mark.parametrize(
    ("host", "trusted", "said"),
    [
        ("hooks.example.com", True, ""),
        ("other.example.com", True, "no safe connection"),
        ("hooks.example.com", False, "no safe connection"),
    ],
    ids=["as it should be", "another name", "signed by nobody"],
)
def test_a_receiver_has_to_prove_its_name(host, trusted, said, certificate, names, loopback, settings):
    settings.WEBHOOK_CA = str(certificate) if trusted else ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def behave(connection):
        with context.wrap_socket(connection, server_side=True) as safe:
            read_request(safe)
            safe.sendall(OK + b"Content-Length: 2\r\n\r\nok")

    names[host] = [["127.0.0.1"]]
    with listening(behave) as port:
        answer = post(f"https://{host}:{port}/", HEADERS, b"{}", 3)
    assert said in answer.error
    assert answer.text == ("" if said else "ok"), answer


def test_a_handshake_without_an_answer_ends_in_time(loopback):
    with listening(deaf) as port:
        began = time.monotonic()
        answer = post(f"https://127.0.0.1:{port}/", HEADERS, b"{}", DEADLINE)
    assert time.monotonic() - began < 2 * DEADLINE + 0.4
    assert answer.status is None


def test_a_handshake_has_the_time_that_connecting_has_left(monkeypatch):
    bounds, (ours, theirs) = Bounds(time.monotonic() + 10, MOST_BYTES), socket.socketpair()

    def connects_slowly(*_, **__):
        bounds.until -= 6
        return ours

    monkeypatch.setattr("urllib3.util.connection.create_connection", connects_slowly)
    with ours, theirs:
        made = pools_within(bounds)["https"].ConnectionCls("hooks.example.com")._new_conn()
        assert made.gettimeout() <= 4
