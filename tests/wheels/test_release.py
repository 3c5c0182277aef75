"""`make release` refuses what could not be built again, and says why."""

import pytest

from tests.wheels import release

pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """With a changelog of this version, and nothing that is not committed."""
    monkeypatch.setattr(release, "CHECKOUT", tmp_path)
    monkeypatch.setattr(release, "git", lambda *command: "")
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## {release.version()}\n\n## 0.1.0\n")
    return tmp_path


def test_what_is_committed_and_told_can_be_released(checkout):
    assert release.why_not() == ""


def test_what_is_not_committed_is_not_released(checkout, monkeypatch, capsys):
    monkeypatch.setattr(release, "git", lambda *command: " M README.md\n?? notes.txt\n")
    monkeypatch.setattr(release, "build", None)
    assert release.main() == 1
    assert capsys.readouterr().err.startswith("No release of what is not committed: README.md, notes.txt. Commit it")


@pytest.mark.parametrize(("text", "found"), [("## 0.0.1\n", "0.0.1"), ("", "no version")])
def test_a_changelog_of_another_version_is_told(checkout, text, found):
    (checkout / "CHANGELOG.md").write_text(text)
    assert release.why_not().startswith(f"CHANGELOG.md begins with {found}, and pyproject.toml has the version")
