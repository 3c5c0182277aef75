"""The content of ``self.highlight``, and the page that a card makes of it."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from metaflow.plugins import CARDS

from metaflow_extensions.assetsite.plugins.cards.highlight_page import render_page
from obproject.errors import InvalidInput
from obproject.highlights import CHART_POINTS, Highlight

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(40))
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><rect width="300" height="200"/></svg>'
HOSTILE = "</script ><script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'too'\">"


class Page(HTMLParser):
    """The elements of a page with their attributes, its text by element, and the JSON in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.html = html
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and data.strip():
            self.texts.append((self.elements[-1][0], data))

    def text_of(self, tag: str) -> list[str]:
        return [text for found, text in self.texts if found == tag]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.elements if found == tag]

    @property
    def data(self) -> Any:
        return json.loads(self.text_of("script")[0])


def page_of(highlight: Highlight) -> Page:
    return Page(render_page(highlight.as_data()))


def test_the_data_has_the_shape_that_the_reference_documents() -> None:
    highlight = Highlight()
    highlight.set_title("Better")
    highlight.add_label("new")
    highlight.add_line("1.2 million rows", "Data")
    highlight.add_line("no caption")
    highlight.add_column(0.931, "AUC")
    data = highlight.as_data()
    assert data is not None
    assert data.pop("id").startswith("highlight-")
    assert data == {
        "type": "highlight",
        "title": "Better",
        "labels": ["new"],
        "synopsis": ["**Data** 1.2 million rows", "no caption"],
        "highlight_type": "columns",
        "highlight_body": [{"big": "0.931", "small": "AUC"}],
    }


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF89arest", "image/gif"),
        (SVG, "image/svg+xml"),
        (b'<?xml version="1.0"?>\n' + SVG, "image/svg+xml"),
        (b"anything", "application/octet-stream"),
    ],
)
def test_an_image_goes_before_all_else_and_is_known_by_its_first_bytes(content: bytes, kind: str) -> None:
    highlight = Highlight()
    highlight.set_image(content, "a picture")
    highlight.set_chart([1, 2])
    highlight.add_column(1, "one")
    page = page_of(highlight)
    [image] = page.all("img")
    assert (image["src"] or "").startswith(f"data:{kind};base64,")
    assert image["alt"] == "a picture"
    assert not page.all("svg")
    assert page.data["highlight_body"] == {"alt": "a picture"}, "the image is in the page once"


def test_what_is_no_image_is_refused_where_it_is_set() -> None:
    with pytest.raises(InvalidInput, match="not str"):
        Highlight().set_image("plot.png")  # type: ignore[arg-type]


def test_the_page_shows_text_as_text_with_bold_captions_and_marked_labels() -> None:
    highlight = Highlight()
    highlight.title = "Better & <faster>"
    highlight.add_label("important")
    highlight.add_label("production")
    highlight.add_line("a < b", "Where")
    highlight.add_column("+1%", "against last week")
    page = page_of(highlight)
    assert page.text_of("h1") == ["Better & <faster>"]
    assert page.text_of("title") == ["Better & <faster>"]
    assert page.text_of("li") == ["Important", "Production"]
    assert [label["class"] for label in page.all("li")] == ["label important", "label"]
    assert page.text_of("strong") == ["Where", " a < b"]
    assert page.text_of("dd") == ["+1%"]
    assert page.text_of("dt") == ["against last week"]


@pytest.mark.browser
def test_fault_41_nothing_that_users_write_is_markup(browser: Browser, tmp_path: Path) -> None:
    highlight = Highlight()
    highlight.title = HOSTILE
    highlight.add_label(HOSTILE)
    highlight.add_line(HOSTILE, HOSTILE)
    highlight.add_column(HOSTILE, None)
    highlight.set_chart({HOSTILE: [1, 2]}, x=[HOSTILE, HOSTILE], caption=HOSTILE)
    page = page_of(highlight)
    assert [script["type"] for script in page.all("script")] == ["application/json"]
    assert not page.all("img")
    assert page.data["title"] == HOSTILE
    (tmp_path / "card.html").write_text(page.html)
    tab = browser.new_page()
    tab.goto((tmp_path / "card.html").as_uri())
    assert tab.title() == HOSTILE
    assert tab.inner_text("h1") == HOSTILE
    assert tab.evaluate("JSON.parse(document.getElementById('highlight').textContent).title") == HOSTILE
    tab.close()


def test_fault_41_a_highlight_that_nobody_touched_is_nothing() -> None:
    assert Highlight().as_data() is None
    page = Page(render_page(None))
    assert page.text_of("p") == ["This step had nothing to highlight."]
    assert page.data is None


@pytest.mark.browser
def test_fault_41_a_card_is_small_and_fetches_nothing(browser: Browser, tmp_path: Path) -> None:
    highlight = Highlight()
    highlight.title = "Loss"
    highlight.set_chart({"train": range(100_000), "valid": range(100_000)})
    html = page_of(highlight).html
    assert len(html) < 16_000
    (tmp_path / "card.html").write_text(html)
    tab = browser.new_page(viewport={"width": 390, "height": 600})
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto((tmp_path / "card.html").as_uri())
    assert requests == [(tmp_path / "card.html").as_uri()]
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    tab.close()


def test_fault_41_a_chart_needs_no_chart_language() -> None:
    highlight = Highlight()
    highlight.set_chart({"train": [1.0, 0.5, 0.25], "valid": [1.2, None, 0.5]}, x=["a", "b", "c"], caption="epoch")
    page = page_of(highlight)
    assert page.text_of("figcaption") == ["epoch"]
    assert page.text_of("li") == ["train", "valid"]
    [drawing] = page.all("svg")
    assert drawing["aria-label"] == "Line chart of train, valid from a to c, values from 0.25 to 1.2"
    lines = [path for path in page.all("path") if (path["class"] or "").startswith(("line", "dot"))]
    assert [(line["d"] or "").count("M") for line in lines] == [1, 2], "a gap interrupts the line"
    assert page.data["highlight_body"]["series"][1] == {"name": "valid", "values": [1.2, None, 0.5]}


def test_bars_stand_on_zero() -> None:
    highlight = Highlight()
    highlight.set_chart([20, 10, -10], x=["a", "b", "c"], kind="bar")
    page = page_of(highlight)
    bars = [path["d"] for path in page.all("path") if (path["class"] or "").startswith("bar")]
    # the scale reaches from -10 to 20 over 300 units, so zero is at 200
    assert bars == [
        "M33.3 0.0h266.7V200.0h-266.7z",
        "M366.7 100.0h266.7V200.0h-266.7z",
        "M700.0 200.0h266.7V300.0h-266.7z",
    ]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([5], "4.5 4.75 5 5.25 5.5"),
        ([0, 0], "-1 -0.5 0 0.5 1"),
        ([0.1, 0.2, 0.3], "0.1 0.15 0.2 0.25 0.3"),
        ([4000, 23_000], "0 5k 10k 15k 20k 25k"),
        ([-3e9, 1e7], "-3G -2G -1G 0 1G"),
        ([2e-7, 4e-7], "2e-07 2.5e-07 3e-07 3.5e-07 4e-07"),
        ([float("nan")], "0 0.25 0.5 0.75 1"),
    ],
)
def test_the_axis_has_round_numbers(values: list[float], shown: str) -> None:
    highlight = Highlight()
    highlight.set_chart(values, x=[])
    axis = page_of(highlight).text_of("span")[: len(shown.split())]
    assert axis == shown.split()


def test_long_series_are_thinned_out_and_keep_their_ends() -> None:
    highlight = Highlight()
    highlight.set_chart(range(1000))
    data = highlight.as_data()
    assert data is not None
    body = data["highlight_body"]
    assert len(body["series"][0]["values"]) == len(body["x"]) == CHART_POINTS
    assert (body["x"][0], body["x"][-1], body["series"][0]["values"][-1]) == ("1", "1000", 999)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"values": [1, "many"]}, "'many' is no number"),
        ({"values": []}, "at least one value"),
        ({"values": {}}, "at least one value"),
        ({"values": [1], "kind": "pie"}, "'pie' is no kind of chart; line and bar are"),
    ],
)
def test_a_chart_that_cannot_be_drawn_is_refused_where_it_is_set(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Highlight().set_chart(**arguments)


def test_metaflow_knows_the_card() -> None:
    assert "highlight" in {card.type for card in CARDS}
