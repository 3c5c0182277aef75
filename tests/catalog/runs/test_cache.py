"""Pages of finished cards are kept on the disk, and only as many as fit."""

import os
from pathlib import Path

import pytest

from catalog.runs import CardPage, Datastore, card_page, cards_of
from catalog.runs import cache as card_cache

FOLDER = "mf.cards/Flow/runs/1/steps/start/tasks/2"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    card = tmp_path / "datastore" / FOLDER / "cards" / "default-abcdef.html"
    card.parent.mkdir(parents=True)
    card.write_text("<body>first</body>")
    return tmp_path / "datastore"


def read(root: Path) -> CardPage:
    (card,) = cards_of("Flow/1/start/2", Datastore("local", str(root)))
    page = card_page(card)
    assert isinstance(page, CardPage)
    return page


def kept(settings) -> list[Path]:
    folder = Path(settings.HOME) / "cards"
    return sorted(folder.iterdir()) if folder.exists() else []


def run_on(root: Path) -> None:
    """Make the task one that is still running, and its card one that is live."""
    (root / "Flow/1/start/2").mkdir(parents=True)
    (root / "Flow/1/start/2/0.attempt.json").write_text('{"time": 1}')


def test_the_second_reading_of_a_finished_card_comes_from_the_disk(root: Path, settings) -> None:
    first = read(root)
    (file,) = kept(settings)
    assert file.stat().st_mode & 0o077 == 0
    (card,) = cards_of("Flow/1/start/2", Datastore("local", str(root)))
    (root / FOLDER / "cards" / "default-abcdef.html").unlink()
    again = card_page(card)
    assert again == first
    assert first.etag == again.etag


def test_a_card_that_was_written_anew_is_read_anew(root: Path) -> None:
    first = read(root)
    (root / FOLDER / "cards" / "default-abcdef.html").write_text("<body>second</body>")
    assert "second" in read(root).html
    assert read(root).etag != first.etag


def test_the_card_of_a_running_task_is_not_kept(root: Path, settings) -> None:
    run_on(root)
    assert read(root).live
    assert kept(settings) == []


def test_what_was_read_longest_ago_leaves_first(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card_cache, "MAX_BYTES", 25)
    for age, name in enumerate(["c", "b", "a"]):
        card_cache.put(name, CardPage(b"0123456", "no", live=False))
        os.utime(Path(settings.HOME) / "cards" / f"{name}.card", (1000 - age, 1000 - age))
    assert card_cache.get("a")
    card_cache.put("d", CardPage(b"0123456", "no", live=False))
    assert [path.name[0] for path in kept(settings)] == ["a", "d"]


def test_a_folder_that_can_not_be_written_to_hinders_nobody(root: Path, settings) -> None:
    Path(settings.HOME).write_text("no folder")
    assert "first" in read(root).html
