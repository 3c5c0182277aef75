"""The sections of docs/performance.md, each kept by one command."""

import pytest

from bench import sections


def test_a_section_takes_the_place_of_what_its_command_measured_before(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# By hand\n\n<!-- a -->\nold\n<!-- end of a -->\n\n<!-- b -->\nkept\n<!-- end of b -->\n")
    sections.keep("a", "## New\n\n1\n", page)
    sections.keep("a", "## Newer\n", page)
    assert page.read_text() == (
        "# By hand\n\n<!-- a -->\n\n## Newer\n\n<!-- end of a -->\n\n<!-- b -->\nkept\n<!-- end of b -->\n"
    )
    with pytest.raises(SystemExit, match=r"page\.md has no section of c\."):
        sections.keep("c", "", page)


@pytest.mark.parametrize("command", ["bench", "bench.against", "bench.peers", "bench.people"])
def test_the_page_of_the_docs_has_a_section_of_each_command(command):
    text = sections.PAGE.read_text()
    assert text.count(f"<!-- {command} -->\n") == text.count(f"<!-- end of {command} -->") == 1
    assert f"python -m {command}" in text
