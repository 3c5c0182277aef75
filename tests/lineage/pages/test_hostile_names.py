"""Names that attack a drawing: they are text, they stay in their boxes, and every form can still be read."""

import xml.etree.ElementTree as ElementTree
from html import unescape
from html.parser import HTMLParser

import pytest

from catalog.recording import Declaration
from tests.catalog.pages.conftest import text_of
from tests.lineage.pages.conftest import LINEAGE, answered, drawn, tabled

NAMES = [
    "</text><script>alert(1)</script>",
    "' onclick=alert(1) \" <!-- & ]]>",
    "W" * 250,
    "\u202eשלום עולם",  # noqa: RUF001
    "👩‍👩‍👧‍👦🔥" * 20,
    "z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢" * 8,
    "{{ settings.SECRET_KEY }}{% include 'x' %}",
]


class Attributes(HTMLParser):
    """The names of all attributes of a page, and how many scripts it has."""

    def __init__(self):
        super().__init__()
        self.names, self.scripts, self.scripts_with_address = set(), 0, 0

    def handle_starttag(self, tag, attrs):
        self.names |= {name for name, _ in attrs}
        self.scripts += tag == "script"
        self.scripts_with_address += tag == "script" and "src" in dict(attrs)


@pytest.fixture(params=NAMES)
def hostile(request, world):
    name = request.param
    world.deploy(data__thing=Declaration({}, name=name))
    world.register("data/thing", "MadeFlow/1/end/1")
    world.consume("data/thing", name, kind="deployment", branch=f"feature/{name[:100]}")
    world.consume("data/thing", name, kind="user")
    return name


def test_a_hostile_name_is_text(hostile, world):
    page = text_of(world.client().get(LINEAGE))
    parser = Attributes()
    parser.feed(page)
    assert not any(name.startswith("on") or name == "style" for name in parser.names)
    assert parser.scripts == parser.scripts_with_address
    assert drawn(page) == tabled(page) == answered(world.client().get(f"{LINEAGE}.json"))
    assert f"<bdi>{hostile}</bdi>" in unescape(page)


def test_a_drawing_with_a_hostile_name_is_well_formed(hostile, world):
    root = ElementTree.fromstring(text_of(world.client().get(f"{LINEAGE}.svg")))
    space = "{http://www.w3.org/2000/svg}"
    texts = [node.text or "" for node in root.iter(f"{space}text")]
    assert all(len(text) < 100 for text in texts)
    assert any(hostile in (title.text or "") for title in root.iter(f"{space}title"))
    assert not list(root.iter(f"{space}script"))
