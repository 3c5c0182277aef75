"""What the environment says is read strictly: each wrong value is one sentence, and names may have any character."""

import re
from ipaddress import ip_network
from pathlib import Path

import pytest

from assetsite.environment import OTHERS, Environment
from tests.places import CHECKOUT, place


def read(method, value, *arguments, **more):
    """The value that a method reads, and what it finds wrong."""
    env = Environment({"NAME": value})
    found = getattr(env, method)("NAME", *arguments, **more)
    return (found, *env.problems)


def mail_server(port: int, user: str = "", password: str = "", *, tls: bool = False, ssl: bool = False) -> dict:
    given = {"HOST": "mail.b.org", "PORT": port, "HOST_USER": user, "HOST_PASSWORD": password}
    return {f"EMAIL_{name}": value for name, value in (given | {"USE_TLS": tls, "USE_SSL": ssl}).items()}


@pytest.mark.parametrize(
    ("method", "arguments", "value", "found"),
    [
        ("whole_number", (4, 1, 8), " 8 ", 8),
        ("whole_number", (4, 1, 8), "", 4),
        ("whole_number", (4, 1, 8), "  ", 4),
        ("number", (5, 0, 9), "0.5", 0.5),
        ("switch", (False,), "Yes", True),
        ("switch", (True,), "off", False),
        ("choice", ("local", ("local", "team")), "team", "team"),
        ("ip_address", ("0.0.0.0",), "[::1]", "::1"),
        ("networks", (), "10.1.0.0/16, ::1", [ip_network("10.1.0.0/16"), ip_network("::1")]),
        ("networks", (), "", []),
        ("mail_address", (), " Ada <a@b.org> ", "Ada <a@b.org>"),
        ("mail_address", (), "a@b.org", "a@b.org"),
        ("mail_server", (), "", {}),
        ("mail_server", (), "smtp+tls://a%40b:p%2Fw@mail.b.org", mail_server(587, "a@b", "p/w", tls=True)),
        ("mail_server", (), "smtp+ssl://mail.b.org/", mail_server(465, ssl=True)),
        ("mail_server", (), "smtp://mail.b.org:26", mail_server(26)),
        ("file", (), __file__, __file__),
        ("file", (), "", ""),
        ("web_address", (), "https://ui.example/x/", "https://ui.example/x"),
        ("secret", (), "$a b ", "$a b "),  # no name of another variable
        ("entries", (), " a, b,,\n c ,", ["a", "b", "c"]),
        ("entries", (), '"/a, ""b"" ", beta=/c"d', ['/a, "b" ', 'beta=/c"d']),
        ("entries", (), "", []),
        ("secrets", (), ' k-1, "k,2"', ["k-1", "k,2"]),
        ("host_names", (), "a.example.org, .example.org,10.0.0.1,[::1],*", None),
        ("folder", (lambda: Path("/default"),), "", Path("/default")),
        ("folder", (lambda: Path("/default"),), "/a ?#%'\",é\n", Path("/a ?#%'\",é\n")),
    ],
)
def test_a_right_value_is_taken(method, arguments, value, found):
    if found is None:
        found = [entry.strip() for entry in value.split(",")]
    assert read(method, value, *arguments) == (found,)


@pytest.mark.parametrize(
    ("method", "arguments", "value", "sentence"),
    [
        ("whole_number", (4, 1, 8), "0", "NAME is '0'; expected is a whole number from 1 to 8."),
        ("whole_number", (4, 1, 8), "9", "NAME is '9'; expected is a whole number from 1 to 8."),
        ("whole_number", (4, 1, 8), "4.0", "NAME is '4.0'; expected is a whole number from 1 to 8."),
        ("number", (5, 0, 9), "-1", "NAME is '-1'; expected is a number from 0 to 9."),
        ("number", (5, 0, 9), "nan", "NAME is 'nan'; expected is a number from 0 to 9."),
        ("switch", (True,), "ja", "NAME is 'ja'; expected is true or false."),
        ("switch", (True,), "2", "NAME is '2'; expected is true or false."),
        ("choice", ("local", ("local", "team")), "Team", "NAME is 'Team'; expected is one of: local, team."),
        (
            "ip_address",
            ("::",),
            "localhost",
            "NAME is 'localhost'; expected is an IP address, such as 127.0.0.1 or ::.",
        ),
        ("secrets", (), 'k-1, "k', "NAME has an entry that can't be read; double quotes stand around"),
        ("networks", (), "10.1.0.0/8", "NAME has '10.1.0.0/8'; expected is a network such as 10.1.0.0/16"),
        ("networks", (), "office", "NAME has 'office'; expected is a network"),
        *(
            ("mail_address", (), value, f"NAME is {value!r}; expected is an address of mail")
            for value in ("ada", "a@b@c", "a b@c.org\x00")
        ),
        *(
            ("mail_server", (), value, "NAME is no address of a server for mail; expected is smtp+tls://")
            for value in ("mail.b.org", "http://b.org", "smtp://", "smtp://b.org/x", "smtp://b.org?tls=1")
        ),
        ("mail_server", (), "smtp://a:b@c.org:port", "NAME can't be read; write %2F for /"),
        ("file", (), "/nowhere", "NAME is '/nowhere', where there is no file."),
        ("entries", (), '"/a', "NAME has '\"/a'; double quotes stand around a whole entry"),
        ("entries", (), 'x, "/a"b', "NAME has '\"/a\"b'; double quotes stand around a whole entry"),
        ("folder", (Path,), "~nobody-here/x", "NAME is '~nobody-here/x', which can't be a folder"),
        ("folder", (Path("~nobody-here").expanduser,), "", "NAME is not set, and there is no other folder: "),
        *(
            ("web_address", (), value, f"NAME is {value!r}; expected is an address that begins with http")
            for value in ("ui.example", "ftp://ui.example", "http://", "http://ui:port", "http://[x")
        ),
        *(
            ("host_names", (), value, f"NAME has {value!r}; expected is the name of a host")
            for value in ("https://a.example", "a.example/x", "a.example:80", "a b", "*.example", "a_b", "[x]", "[::1")
        ),
        ("host_names", (), "::1", "NAME has '::1'; write [::1]."),
        ("host_names", (), "bücher.example", "NAME has 'bücher.example'; browsers ask for xn--bcher-kva.example"),
    ],
)
def test_a_wrong_value_is_told_in_a_sentence(method, arguments, value, sentence):
    _, *problems = read(method, value, *arguments)
    assert len(problems) == 1
    assert problems[0].startswith(sentence)


ANY_PATH = "/a ?#%41+'\",é/b=c\nd.sqlite3"


def test_the_file_of_the_default_database_is_no_address():
    assert read("database", "", Path(ANY_PATH)) == ({"ENGINE": "django.db.backends.sqlite3", "NAME": ANY_PATH},)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("sqlite:////data/a%20%3F%23%25+b.sqlite3", "/data/a ?#%+b.sqlite3"),
        ("sqlite:///file:x", str(Path.cwd() / "file:x")),  # which SQLite would take for an address again
        ("postgres://ada:p%2Fw@[::1]:5433/x", "x"),
        ("postgresql:///x?host=/run", "x"),
    ],
)
def test_the_address_of_a_database_is_read(address, name):
    found, *problems = read("database", address, Path("/default"))
    assert not problems
    assert found["NAME"] == name


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mysql://ada:s3cret@db/x", "is no address of a database; expected is postgres://"),
        ("/data/x.sqlite3", "is no address of a database"),
        ("sqlite://:memory:", "is no address of a file"),
        ("sqlite:////data/a?b", "with %3F for ? and %23 for #"),
        ("postgres://ada:s3/cret@db/x", "in user and password write %2F for /"),
        ("postgres://ada:s3cret@db:port/x", "can't be read"),
        ("postgres://ada:s3cret@db", "names no database"),
    ],
)
def test_the_address_of_no_database_is_told_without_its_password(address, words):
    _, problem = read("database", address, Path("/default"))
    assert words in problem
    assert "s3" not in problem


def test_all_that_is_wrong_ends_the_process_at_once_and_each_thing_is_said_once():
    env = Environment({"A": "x", "B": "y"})
    env.refuse_if_wrong()
    for name in "AAB":
        env.whole_number(name, 1, 1, 2)
    with pytest.raises(SystemExit) as end:
        env.refuse_if_wrong()
    assert str(end.value).count("expected is a whole number") == 2


def test_names_that_look_like_a_setting_are_told():
    names = ("ASSETSITE_CARDROOTS", "assetsite_workers", "ASSETSITE_URL", "ASSETSITE_OF_OURS", "WORKERS")
    env = Environment(dict.fromkeys(names, "x"))
    env.entries("ASSETSITE_CARD_ROOTS")
    env.text("ASSETSITE_WORKERS")
    assert env.misspelt() == {"ASSETSITE_CARDROOTS": "ASSETSITE_CARD_ROOTS", "assetsite_workers": "ASSETSITE_WORKERS"}


def test_the_settings_of_the_flow_side_are_known():
    documented = set(re.findall(r"`(ASSETSITE_\w+)`", (CHECKOUT / "docs/configuration.md").read_text()))
    mine = set(re.findall(r'env\.\w+\("([A-Z_]+)"', place("assetsite/settings.py").read_text()))
    assert documented - mine == OTHERS
