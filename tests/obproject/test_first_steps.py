"""The words of the first steps, which the site and its client share."""

from __future__ import annotations

import pytest

from obproject.first_steps import is_project_name, project_lines, settings_lines, suggested_project


@pytest.mark.parametrize(
    ("called", "suggested"),
    [
        ("churn", "churn"),
        ("My Churn-2", "my_churn_2"),
        ("Prévision", "prevision"),
        ("__x__", "x"),
        ("李", "my_project"),
        ("", "my_project"),
        ("a" * 300, "a" * 128),
        ('"\nevil = "1', "evil_1"),
    ],
)
def test_a_folder_suggests_the_name_of_a_project(called: str, suggested: str) -> None:
    assert suggested_project(called) == suggested
    assert is_project_name(suggested)


@pytest.mark.parametrize("text", ["", "Churn", "a-b", "a" * 129, "a\n"])
def test_what_is_no_name_of_a_project(text: str) -> None:
    assert not is_project_name(text)


def test_lines_say_no_more_than_they_have_to() -> None:
    assert project_lines("churn") == 'project = "churn"'
    assert project_lines("churn", "alpha") == 'project = "churn"\nperimeter = "alpha"'
    assert settings_lines("http://x") == "export ASSETSITE_URL=http://x"
    assert "ASSETSITE_TOKEN" in settings_lines("http://x", with_token=True)
