"""READMEs as pages show them: what is kept of Markdown and HTML, where links lead, and that nothing harmful is left."""

import time
from html.parser import HTMLParser

import pytest

from catalog.readmes import rendering
from catalog.readmes.addresses import Folder
from catalog.readmes.parser import MOST_BARE_LINKS, MOST_CELLS
from catalog.readmes.rendering import LONG, MOST_TEXT, render
from catalog.readmes.slugs import Slugs, slug_of
from catalog.readmes.writing import ELEMENTS
from catalog.shown.markdown import is_cut, markdown

SHA = "6a20eaa0b2c4d6e8f00112233445566778899aab"
REL = 'rel="noopener noreferrer nofollow"'
VOID = {"br", "hr", "wbr"}
TAGS = ELEMENTS | VOID | {"a", "h1", "h2", "h3", "h4", "h5", "h6"}


class Read(HTMLParser):
    """HTML as it was read: `elements` as (tag, attributes), `text`, and `wrong`, what is not balanced."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.wrong, self.open = [], "", [], []
        self.feed(html)
        self.wrong += self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        self.wrong.append("comment")


def links(source, folder=None):
    """What each link leads to, in order."""
    return [attributes.get("href") for tag, attributes in Read(markdown(source, folder)).elements if tag == "a"]


def test_headings_stand_below_those_of_the_page():
    assert markdown("# One\n\n###### Six") == '<h3 id="readme-one">One</h3>\n<h6 id="readme-six">Six</h6>\n'


KEPT = {
    "\ufeff# One": '<h3 id="readme-one">One</h3>\n',
    "H<sub>2</sub>O x<sup>2</sup> <kbd>Ctrl</kbd>": "<p>H<sub>2</sub>O x<sup>2</sup> <kbd>Ctrl</kbd></p>\n",
    "one<br>two<br/>three": "<p>one<br>two<br>three</p>\n",
    "one  \ntwo": "<p>one<br>\ntwo</p>\n",
    '<p align="center">in the *middle*</p>': '<div class="align-center">in the *middle*</div>\n',
    "<center>x</center>": '<div class="align-center">x</div>\n',
    '<h1 align="right">T</h1>': '<h3 class="align-right" id="readme-t">T</h3>\n',
    "<div style='float: left'>x</div>": "<div>x</div>\n",
    "a <!-- not -- seen --> b <!----> c": "<p>a  b  c</p>\n",
    "<!-- not\n\nseen -->\nseen": "\n<p>seen</p>\n",
    "<script>x\n\ny</script>\n\n<style>p{}</style>\n\nz": "\n\n<p>z</p>\n",
    "a <script>b *c*</script> d <iframe src=//e>f</iframe>": "<p>a <em></em> d </p>\n",
    "<details open><summary>More</summary>\n\n**bold**\n\n</details>": (
        '<details open=""><summary>More</summary>\n<p><strong>bold</strong></p>\n</details>\n'
    ),
    "<blink>x</blink> <a onclick=x>y</a>": "<p>x y</p>\n",
    "~~a~~ ~b~": "<p><s>a</s> <s>b</s></p>\n",
    "> [!TIP]\n> a": (
        '<div class="markdown-alert markdown-alert-tip">\n<p class="markdown-alert-title">Tip</p>\n<p>a</p>\n</div>\n'
    ),
    "- [ ] a\n- [x] b": (
        '<ul>\n<li class="task-list-item"><span role="img" aria-label="to do">☐</span> a</li>\n'
        '<li class="task-list-item"><span role="img" aria-label="done">☑</span> b</li>\n</ul>\n'
    ),
    "<input type=checkbox checked disabled> <input name=q>": ('<p><span role="img" aria-label="done">☑</span>  </p>\n'),
    "```mermaid\na-->b\n```": '<pre tabindex="0" role="region" aria-label="Code 1"><code>a--&gt;b\n</code></pre>\n',
    "a[^x]\n\n[^x]: b": (
        f'<p>a<sup><a href="#fn-readme-1" id="fnref-readme-1" {REL}>[1]</a></sup></p>\n<hr>\n'
        '<section class="footnotes">\n<ol>\n<li id="fn-readme-1" class="footnote-item"><p>b '
        f'<a href="#fnref-readme-1" class="" {REL}>'
        "\u21a9\ufe0e</a></p>\n</li>\n</ol>\n</section>\n"
    ),
    "<ul><li>a<li>b</ul>": "<ul><li>a</li><li>b</li></ul>\n",
    "&lt;b&gt; 1 < 2 &amp; <3": "<p>&lt;b&gt; 1 &lt; 2 &amp; &lt;3</p>\n",
}


@pytest.mark.parametrize(("source", "html"), KEPT.items())
def test_html_and_markdown_are_shown_as_on_github(source, html):
    assert markdown(source) == html


def test_tables_and_code_in_lists_can_be_reached_by_keyboard():
    html = markdown(
        "| a | b |\n|---|--:|\n| 1<br>2 | 3 |\n\n3. three\n\n   ```py\n   x < y\n   ```\n\n<pre>z</pre>\n\n    ┌─┐"
    )
    assert '<div tabindex="0" role="region" aria-label="Table 1" class="scroll"><table>' in html
    assert '<td>1<br>2</td>\n<td class="align-right">3</td>' in html
    assert '<ol start="3">' in html
    assert '<pre tabindex="0" role="region" aria-label="Code 1"><code>x &lt; y\n</code></pre>' in html
    assert '<pre tabindex="0" role="region" aria-label="Code 2">z</pre>' in html
    assert '<pre tabindex="0" role="region" aria-label="Code 3" class="drawn"><code>┌─┐' in html


# ---- links


def test_images_are_their_text_which_leads_to_them_so_that_nothing_is_fetched():
    image = f'<a href="https://e.org/c.png" class="image" {REL}>A *chart*</a>'
    assert markdown("![A *chart*](https://e.org/c.png)") == f"<p>{image}</p>\n"
    picture = '<picture><source srcset="d.png"><img alt="A *chart*" src="https://e.org/c.png" onerror="x()"></picture>'
    assert markdown(f"x {picture}") == f"<p>x {image}</p>\n"
    assert markdown("![](x.png) <img>") == '<p><span class="image">image</span> <span class="image">image</span></p>\n'


def test_an_image_inside_a_link_becomes_the_text_of_that_link():
    link = f'<a href="https://e.org/ci" {REL}><span class="image">build</span></a>'
    assert markdown("[![build](https://e.org/b.svg)](https://e.org/ci)") == f"<p>{link}</p>\n"
    assert markdown('<a href="https://e.org/ci"><img alt=build src=b.svg></a>') == f"<p>{link}</p>\n"


def test_bare_addresses_are_links_and_names_of_files_are_not():
    source = "https://e.org/a_b_c, www.e.org, ada@e.org (https://e.org/x). README.md a:b c@ http:// x.y"
    assert links(source) == ["https://e.org/a_b_c", "http://www.e.org", "mailto:ada@e.org", "https://e.org/x"]
    assert len(links("www.e.org " * 2 * MOST_BARE_LINKS)) == MOST_BARE_LINKS


FOLDER = Folder.of(f"https://github.com/o/r/commit/{SHA}", "projects/churn")
FILES = f"https://github.com/o/r/blob/{SHA}"
FOLDERS = f"https://github.com/o/r/tree/{SHA}"


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("docs/a.md", f"{FILES}/projects/churn/docs/a.md"),
        ("./docs/a%20b.md?plain=1#L3", f"{FILES}/projects/churn/docs/a%20b.md?plain=1#L3"),
        ("../other/README.md", f"{FILES}/projects/other/README.md"),
        ("/LICENSE", f"{FILES}/LICENSE"),
        ("./flows/", f"{FOLDERS}/projects/churn/flows"),
        (".", f"{FOLDERS}/projects/churn"),
        ("../..", FOLDERS),
        ("../../../x", None),
        ("%2e%2e/../../../x", None),
        ("größe.md", f"{FILES}/projects/churn/gr%C3%B6%C3%9Fe.md"),
        ("//e.org/x", "https://e.org/x"),
        ("https:x", None),
        ("javascript:alert(1)", None),
        ("JAVA&#10;SCRIPT:alert(1)", None),
        ("\x01javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("vbscript:x", None),
        ("file:///etc/passwd", None),
        ("C:/x", None),
        ("http://[", None),
    ],
)
def test_a_link_leads_into_the_repository_or_to_another_host_or_is_plain_text(link, address):
    expected = [address] if address else []
    assert links(f'<a href="{link}">x</a>', FOLDER) == expected
    assert links(f'<img alt="x" src="{link}">', FOLDER) == expected
    assert links(f"[x](<{link}>)", FOLDER) == expected
    if "github.com" in (address or ""):
        assert links(f"[x](<{link}>)") == []
        assert Read(markdown(f"[x](<{link}>)")).text == "x\n"


@pytest.mark.parametrize(
    ("commit_page", "files"),
    [
        (f"https://github.com/o/r/commit/{SHA}", f"https://github.com/o/r/blob/{SHA}"),
        (f"https://git.acme.example:8443/o/r/commit/{SHA}", f"https://git.acme.example:8443/o/r/blob/{SHA}"),
        (f"https://gitlab.com/o/g/r/-/commit/{SHA}", f"https://gitlab.com/o/g/r/-/blob/{SHA}"),
        (f"https://gitlab.acme.example/o/r/commit/{SHA}", f"https://gitlab.acme.example/o/r/-/blob/{SHA}"),
        (f"https://bitbucket.org/o/r/commits/{SHA}", f"https://bitbucket.org/o/r/src/{SHA}"),
        (f"https://codeberg.org/o/r/commit/{SHA}", f"https://codeberg.org/o/r/src/commit/{SHA}"),
        (f"https://dev.azure.com/o/p/_git/r/commit/{SHA}", None),
        ("https://github.com/o/r/commit/main", None),
        ("https://e.org/", None),
        (f"javascript://github.com/o/r/commit/{SHA}", None),
        ("", None),
    ],
)
def test_files_of_a_repository_are_found_by_the_page_of_a_commit(commit_page, files):
    folder = Folder.of(commit_page, ".")
    assert (folder and folder.file_page) == files
    assert Folder.of(commit_page, "../x") is None


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("Größe & Maß", "größe--maß"),
        ("1. What's `new`?", "1-whats-new"),
        ("🚀 Quick start", "-quick-start"),
        ("⚙\ufe0f Setup", "\ufe0f-setup"),
        ("snake_case-and\u2013dash", "snake_case-anddash"),
        ("हिन्दी पाठ", "हिन्दी-पाठ"),
        ("日本語 の README", "日本語-の-readme"),
        ("🚀", ""),
    ],
)
def test_headings_are_named_as_github_names_them(heading, slug):
    assert slug_of(heading) == slug


def test_names_of_headings_differ():
    slugs = Slugs()
    assert [slugs.add(text) for text in ("a", "A", "a-1", "a")] == ["a", "a-1", "a-1-1", "a-2"]


def test_links_within_a_readme_lead_to_its_headings_and_named_places():
    source = (
        "[a](#größe--maß) [b](#usage-1) [c](#user-content-here) [d](#top) [e](#nowhere) [f](#USAGE) "
        "[g](#setup) [h](#)\n# Größe & Maß\n## Usage\n## Usage\n<h2>⚙️ Setup</h2>\n\n"
        "<a name='here'></a><b id='usage'></b>"
    )
    ids = ["größe--maß", "usage", "usage-1", "\ufe0f-setup", "here"]
    elements = Read(markdown(source)).elements
    assert [attributes["id"] for _, attributes in elements if "id" in attributes] == [f"readme-{name}" for name in ids]
    assert links(source) == [
        "#readme-gr%C3%B6%C3%9Fe--ma%C3%9F",
        "#readme-usage-1",
        "#readme-here",
        "#readme",
        "#readme-usage",
        "#readme-%EF%B8%8F-setup",
        "#readme",
    ]


# ---- nothing harmful

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '[x](https://e.org "a\\"onmouseover=alert(1)")',
    '![a"><script>alert(1)</script>](https://e.org/x.png)',
    "`<script>`",
    "<a href='https://e.org' onclick='x()' style='position:fixed' target=_top>y</a>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<form id=x><input name=attributes><button formaction=javascript:alert(1)>x</button></form>",
    "<a id=getElementById name=cookie href='https://e.org'>x</a><img name=body>",
    '<textarea><img title="</textarea><img src onerror=alert(1)>">',
    "<template><script>alert(1)</script></template><plaintext>",
    "</div></section></main></body></html><body onload=alert(1)>",
    "<table><tr><td>\n\n</div></td></tr></table></table></section>\n\nx",
    "<details><summary><details><summary>\n\n- <details>\n\n> <div>\n\nx",
    "x <!-- y <b title='--> <img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->\n\nx",
    "<![CDATA[ <img src=x onerror=alert(1)> ]]>\n\n<?php <img src=x onerror=alert(1)> ?>",
    "<a href=https://e.org><a href=javascript:alert(1)><b><p><i></a></b>[x](https://e.org)</i>",
    "*a <b>c* d</b> **e <i>f** </i></p></li></ul>",
    "<b><i>\n\n# <u>\n\n| <s> | </s> |\n|--|--|\n| </u> | <div> |\n\n</i>",
    "<pre>\n<textarea>\n</pre>\n\n<xmp><p></xmp><title><p>",
    "<li><dd>a</dd><td>b</td><summary>c</summary><source srcset=//e.org/x><link rel=stylesheet href=//e.org>",
    "<base href=//e.org><meta http-equiv=refresh content=0;url=//e.org><embed src=//e.org><object data=//e.org>",
    "<p class='top flash' id='main' data-copy=x hx-get=/x tabindex=1 role=alert aria-label=x>y</p>",
    "[x]: javascript:alert(1)\n\n[x] ![x] <javascript:alert(1)>",
    "[^a][^b]\n\n[^a]: <div>\n\n[^b]: </section> <b>",
    "<div>" * 3_000,
    "<b id=1><i id=2>" * 50 + "<p>" * 200,
]


@pytest.mark.parametrize("source", HOSTILE)
def test_nothing_harmful_is_left_and_what_is_left_is_balanced(source):
    rendered = render(source + "\n\nlast" * 2 * LONG)
    for html in (rendered.beginning, rendered.rest):
        read = Read(html)
        assert read.wrong == []
        for tag, attributes in read.elements:
            assert tag in TAGS
            assert set(attributes) <= {"id", "class", "href", "rel", "tabindex", "role", "aria-label", "open"}
            assert attributes.get("href", "https:").startswith(("https://e.org", "https:", "#readme", "#fn"))
            assert attributes.get("id", "readme-").startswith(("readme-", "fn-readme-", "fnref-readme-"))
            assert attributes.get("tabindex", "0") == "0"
            assert attributes.get("role", "region") in ("region", "img")
        assert len(html) < 3 * MOST_TEXT


@pytest.mark.parametrize("source", ["<b>x", "x <script>y", "<div><ul><li>x", "x <i>", "<details><summary>x"])
def test_what_is_left_open_ends_with_the_block_or_the_readme(source):
    assert "last" in Read(markdown(f"{source}\n\nlast")).text


# ---- size


def table(rows, columns):
    """A table whose rows are as short as can be: they are filled up to `columns`."""
    return "|" + "a|" * columns + "\n|" + "-|" * columns + "\n" + "|a|\n" * rows


COSTLY = {
    "brackets": "[",
    "images": "![",
    "brackets on lines": "[a\n",
    "links that do not end": "[a](",
    "a large table": "|" + "a|" * 400 + "\n|" + "-|" * 400 + "\n" + ("|" + "b|" * 400 + "\n") * 1000,
    "tables with short rows": table(500, 500) * 3,
    "deep quotes": ">" * 300_000 + " a",
    "deeper and deeper quotes": "\n".join(">" * depth + " a" for depth in range(700)),
    "stars": "*",
    "stars in words": "*a**b",
    "lists": "* a\n",
    "numbered lists": "1. a\n",
    "lines": "a\n",
    "backticks": "".join("`" * count + "a" for count in range(1, 700)),
    "colons": ":",
    "addresses of people": "a@b.c ",
    "addresses with no end": "*http://a_b ",
    "comments that do not end": "x <!-- --->",
    "instructions": "x <?",
    "declarations": "x <!a",
    "elements that are left open": "".join(f"<b id={number}>" for number in range(3_000)) + "<p>" * 3_000,
    "one heading again and again": "# a\n",
    "footnotes": "[^1]\n\n[^1]: x\n\n",
    "attributes": "x <a" + " b" * 100_000,
}


@pytest.mark.parametrize("source", COSTLY.values(), ids=COSTLY)
def test_no_readme_takes_long(source):
    source *= 1 + 300_000 // len(source)
    before = time.process_time()  # what else runs on the machine does not count
    rendered = render(source)
    assert time.process_time() - before < 3
    assert len(rendered.beginning) + len(rendered.rest) < 300_000
    assert is_cut(source)


def test_tables_have_so_many_cells_in_all_and_no_word_is_lost():
    source = table(40, 300) + "\nbehind"
    assert not is_cut(source)
    html = markdown(source)
    assert html.count("<td>") + html.count("<th>") <= MOST_CELLS
    assert html.count("a") >= 40 + 300
    assert "<p>behind</p>" in html


def test_a_very_long_readme_is_cut_at_the_end_of_a_line():
    line = "Some words of a very long text.\n"
    assert not is_cut(line * (MOST_TEXT // len(line)))
    source = line * (MOST_TEXT // len(line) + 1)
    assert is_cut(source)
    assert markdown(source).endswith("very long text.</p>\n")


def test_a_readme_that_ends_within_the_limit_is_whole():
    source = "A sentence, *stressed*, with a [link](https://example.org) in it.\n\n" * 600
    assert not is_cut(source)
    assert markdown(source).count("<p>") == 600


CODE = "```\n" + "x\n" * 70 + "```\n\n"
WORDS = "Some words.\n\n"


@pytest.mark.parametrize(
    ("source", "in_sight", "folded"),
    [
        (WORDS * 33, 33, 0),
        (WORDS * 60, 21, 39),
        (WORDS * 19 + "# Heading\n\n" + WORDS * 40, 19, 41),
        ("# Heading\n\n" + CODE + WORDS, 1, 2),
        (WORDS * 20 + CODE + WORDS, 20, 2),
        (WORDS + "<details><summary>x</summary>\n\n" + WORDS * 90 + "</details>", 92, 0),
        (WORDS + "- item\n" * 90, 1, 1),
    ],
    ids=["short", "long", "no heading at the end", "code is whole", "code is not cut", "closed details", "one list"],
)
def test_a_long_readme_is_folded_between_two_blocks(source, in_sight, folded):
    rendered = render(source)
    whole = ("<p>", "<h", "<pre", "<ul", "<details")
    assert sum(rendered.beginning.count(tag) for tag in whole) == in_sight
    assert sum(rendered.rest.count(tag) for tag in whole) == folded


def test_a_text_is_rendered_once():
    renders = rendering._render.cache_info().misses
    assert len({markdown("# Rendered *once*") for _ in range(3)}) == 1
    assert rendering._render.cache_info().misses == renders + 1
    markdown("# Rendered *once*", FOLDER)
    assert rendering._render.cache_info().misses == renders + 2
