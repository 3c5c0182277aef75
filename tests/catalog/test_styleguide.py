"""The style guide shows every component, with values that are hard to lay out; and lines of templates can be read."""

import pytest
from django.template import engines
from django.test import RequestFactory
from jinja2 import nodes

from catalog.styleguide import HTML, styleguide
from tests.catalog.pages.test_contexts import parsed, whole
from tests.places import TEMPLATES


def test_every_component_is_in_it():
    env = engines["jinja2"].env
    rooms = env.list_templates(filter_func=lambda name: name.startswith("ui/"))
    there = {macro.name for room in rooms for macro in parsed(room).find_all(nodes.Macro)}
    calls = [call.node for name in whole("styleguide.html") for call in parsed(name).find_all(nodes.Call)]
    assert there - {called.name for called in calls if isinstance(called, nodes.Name)} == set()


@pytest.mark.django_db
def test_it_shows_what_users_write_as_text(rf: RequestFactory):
    request = rf.get("/styleguide/")
    page = styleguide(request).content.decode()
    assert page.count("<main") == 1
    assert "onmouseover=alert(1)>" not in page.replace("&gt;", "")
    assert HTML not in page


def test_lines_of_templates_can_be_read():
    paths = [path for path in TEMPLATES.rglob("*.html") if TEMPLATES / "django" not in path.parents]
    long = [(path.name, number) for path in paths for number, line in enumerate(path.open(), 1) if len(line) > 120]
    assert long == []
