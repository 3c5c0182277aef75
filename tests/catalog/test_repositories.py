"""Which addresses of repositories lead to the web, and where their commits are there."""

import pytest

from catalog.pagekit.repositories import commit_url, comparison_url, repository_url

COMMIT = "6a20eaa0b2c4d6e8f00112233445566778899aab"
OTHER = "1f0e9d8c7b6a5f4e3d2c1b0a99887766554433aa"


@pytest.mark.parametrize(
    ("repository", "page"),
    [
        ("https://github.com/acme/churn", "https://github.com/acme/churn"),
        ("https://github.com/acme/churn.git", "https://github.com/acme/churn"),
        ("https://git.acme.example:8443/data/science/churn/", "https://git.acme.example:8443/data/science/churn"),
        ("ssh://github.com/acme/churn.git", "https://github.com/acme/churn"),
        ("git@gitlab.com:acme/churn.git", "https://gitlab.com/acme/churn"),
        ("github.com:acme/churn", "https://github.com/acme/churn"),
        ("ssh://git.acme.example/acme/churn", ""),
        ("git.acme.example:acme/churn", ""),
        ("http://github.com/acme/churn", ""),
        ("https://github.com/acme", ""),
        ("https://github.com/../..", ""),
        ("https://evil.example/a/b?c=d", ""),
        ("https://ada:secret@github.com/acme/churn", ""),
        ("javascript:alert(1)//github.com/a/b", ""),
        ("/home/ada/churn", ""),
        ("", ""),
    ],
)
def test_a_repository_leads_to_the_web_where_it_is_known_to_be_there(repository, page):
    assert repository_url(repository) == page
    assert commit_url(repository, COMMIT) == (f"{page}/commit/{COMMIT}" if page else "")


def test_a_commit_is_hexadecimal():
    assert commit_url("https://github.com/a/b", "v1.0") == ""
    assert commit_url("https://github.com/a/b", "../../x") == ""
    assert commit_url("https://bitbucket.org/a/b", COMMIT) == f"https://bitbucket.org/a/b/commits/{COMMIT}"


@pytest.mark.parametrize(
    ("repository", "page"),
    [
        ("git@github.com:acme/churn.git", f"https://github.com/acme/churn/compare/{COMMIT}...{OTHER}"),
        ("https://gitlab.com/acme/churn", f"https://gitlab.com/acme/churn/-/compare/{COMMIT}...{OTHER}"),
        ("https://codeberg.org/acme/churn", f"https://codeberg.org/acme/churn/compare/{COMMIT}...{OTHER}"),
        (
            "https://bitbucket.org/acme/churn",
            f"https://bitbucket.org/acme/churn/branches/compare/{OTHER}%0D{COMMIT}#diff",
        ),
        ("/home/ada/churn", ""),
    ],
)
def test_hosts_show_what_is_different_between_two_commits(repository, page):
    assert comparison_url(repository, COMMIT, OTHER) == page


def test_between_a_commit_and_itself_or_what_is_none_nothing_is_shown():
    assert comparison_url("https://github.com/a/b", COMMIT, COMMIT) == ""
    assert comparison_url("https://github.com/a/b", "main", COMMIT) == ""
    assert comparison_url("https://github.com/a/b", COMMIT, "../../x") == ""
    assert comparison_url("https://github.com/a/b", "", COMMIT) == ""
