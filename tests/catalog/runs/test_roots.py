"""Which files the server reads, and that it reads no others, whatever a client names and whatever lies there."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catalog.runs import CardPage, Datastore, Reason, TaskFacts, Unavailable, card_page, cards_of, task_facts
from catalog.runs.checks import check_card_roots
from catalog.runs.datastore_layout import metaflow_setting
from catalog.runs.results import UnavailableError
from catalog.runs.roots import Bucket, Root
from catalog.runs.stores import MAX_BYTES, LocalStore
from obproject.commands.sources import configuration_file

TASK = "Flow/1/start/2"
CARD = "mf.cards/Flow/runs/1/steps/start/tasks/2/cards/default-abcdef0123456789.html"
OLD_CARD = "mf.cards/Flow/runs/1/tasks/2/cards/default-abcdef0123456789.html"
NOBODY = 65534


def write(path: Path, text: str = "<html><body>the card</body></html>") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A datastore with one card."""
    write(tmp_path / "datastore" / CARD)
    return tmp_path / "datastore"


def shown(root: Path | str, kind: str = "local", perimeter: str = "", task: str = TASK) -> str | Reason:
    """The page of the only card of the task, or why there is none."""
    cards = cards_of(task, Datastore(kind, str(root), perimeter))
    if cards.missing:
        return cards.missing.reason
    (card,) = cards
    page = card_page(card)
    return page.html if isinstance(page, CardPage) else page.reason


@contextmanager
def acting_as_plain_user(tree: Path) -> Iterator[None]:
    """Permissions mean nothing to root: if that is who runs the tests, `tree` is given to somebody else, who acts."""
    if os.geteuid() != 0:
        yield
        return
    for path in [tree, *tree.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def reachable_root() -> Iterator[Path]:
    """A datastore with one card, in a folder that every user may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    write(folder / CARD)
    yield folder
    shutil.rmtree(folder)


def test_a_card_below_a_root_of_the_servers_own_user_is_shown_in_local_mode(root: Path) -> None:
    assert "the card" in shown(root)


def test_a_card_in_the_layout_before_june_2022_is_shown(root: Path) -> None:
    (root / OLD_CARD).parent.mkdir(parents=True)
    (root / CARD).rename(root / OLD_CARD)
    assert "the card" in shown(root)


def test_a_card_below_a_root_made_for_cards_alone_is_shown(root: Path) -> None:
    assert "the card" in shown(root / "mf.cards")


def test_a_card_that_metaflow_put_below_another_folder_is_found_in_the_configured_roots(
    root: Path, tmp_path: Path, settings
) -> None:
    moved = shutil.move(root / "mf.cards", tmp_path / "elsewhere" / "mf.cards")
    assert shown(root) is Reason.TASK_GONE
    settings.CARD_ROOTS = [str(Path(moved).parent)]
    assert "the card" in shown(root)


@pytest.fixture
def apart(root: Path, tmp_path: Path) -> Datastore:
    """A datastore whose cards lie apart from it, as its task says; the task left its metadata in it."""
    write(root / TASK / "_meta" / "_self.json", "{}")
    write(root / TASK / "0.runtime", "{}")
    moved = shutil.move(root / "mf.cards", tmp_path / "cards")
    return Datastore("local", str(root), cards=str(moved))


def missing(datastore: Datastore) -> Unavailable:
    found = cards_of(TASK, datastore).missing
    assert found is not None
    return found


def test_a_card_is_shown_from_where_its_task_says_that_it_is(apart: Datastore) -> None:
    assert len(cards_of(TASK, apart)) == 1
    assert missing(apart._replace(cards=None)).reason is Reason.NO_CARD


def test_the_place_of_cards_is_allowed_by_the_same_rules_as_that_of_files(apart: Datastore, settings) -> None:
    settings.LOCAL_MODE = False
    settings.CARD_ROOTS = [apart.root]
    assert missing(apart).reason is Reason.NOT_ALLOWED
    settings.CARD_ROOTS = [apart.root, apart.cards]
    assert len(cards_of(TASK, apart)) == 1
    settings.CARD_ROOTS = [apart.root, f"beta={apart.cards}"]
    assert missing(apart).reason is Reason.NOT_ALLOWED
    assert missing(apart._replace(cards="relative")).reason is Reason.NOT_ALLOWED
    settings.LOCAL_MODE = True
    settings.CARD_ROOTS = []
    if os.geteuid() == 0:
        os.chown(apart.cards or "", NOBODY, NOBODY)
    assert missing(apart if os.geteuid() == 0 else apart._replace(cards="/usr")).reason is Reason.NOT_ALLOWED


def test_where_nothing_was_found_is_told_as_far_as_the_task_named_it(
    apart: Datastore, tmp_path: Path, settings
) -> None:
    settings.CARD_ROOTS = [str(tmp_path / "configured")]
    nowhere = apart._replace(cards=str(tmp_path / "nowhere"))  # no card has made that folder
    assert missing(nowhere) == Unavailable(
        Reason.NO_CARD,
        "This task has no card here. With @card on its step, the next one makes one. "
        f"Looked below {nowhere.cards} and {apart.root}. "
        "Whoever runs the server can add other places to ASSETSITE_CARD_ROOTS.",
    )
    shutil.rmtree(Path(apart.root or "") / "Flow")
    assert f"Looked below {apart.root}." in missing(apart._replace(cards=None)).sentence
    unnamed = missing(Datastore()).sentence
    assert "Looked where this server is told to." in unnamed
    assert "configured" not in unnamed


@pytest.mark.parametrize("named", [Datastore(), Datastore("local", None)])
def test_without_a_named_datastore_the_configured_ones_are_searched(
    root: Path, monkeypatch: pytest.MonkeyPatch, named: Datastore
) -> None:
    root.rename(root.parent / ".metaflow")
    monkeypatch.setenv("METAFLOW_DATASTORE_SYSROOT_LOCAL", str(root.parent))
    assert len(cards_of(TASK, named)) == 1


def test_metaflows_configuration_file_is_read(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.rename(root.parent / ".metaflow")
    write(tmp_path / "config_team.json", f'{{"METAFLOW_DATASTORE_SYSROOT_LOCAL": "{root.parent}"}}')
    assert cards_of(TASK, Datastore()).missing
    monkeypatch.setenv("METAFLOW_PROFILE", "team")
    assert len(cards_of(TASK, Datastore())) == 1


def test_a_root_of_another_user_is_not_read_in_local_mode(reachable_root: Path) -> None:
    foreign = reachable_root if os.geteuid() == 0 else Path("/usr")
    if os.geteuid() == 0:
        os.chown(foreign, NOBODY, NOBODY)
    assert shown(foreign) is Reason.NOT_ALLOWED


def test_a_file_of_another_user_is_not_read_below_an_own_root(root: Path) -> None:
    assert LocalStore(root, owner=os.geteuid()).read(CARD)
    assert LocalStore(root, owner=os.geteuid() + 1).read(CARD) is None
    assert LocalStore(root, owner=os.geteuid() + 1).files(str(Path(CARD).parent)) == []
    if os.geteuid() == 0:
        os.chown(root / CARD, NOBODY, NOBODY)
        assert LocalStore(root, owner=0).files(str(Path(CARD).parent)) == []


def test_in_team_mode_only_configured_roots_are_read(root: Path, settings) -> None:
    settings.LOCAL_MODE = False
    assert shown(root) is Reason.NOT_ALLOWED
    facts = task_facts(TASK, Datastore("local", str(root)))
    assert isinstance(facts, Unavailable)
    assert facts.reason is Reason.NOT_ALLOWED
    settings.CARD_ROOTS = [str(root.parent)]
    assert "the card" in shown(root)


@pytest.mark.parametrize("named", ["{allowed}/../other", "{allowed}other", "/", "relative", "{allowed}/link", "\0"])
def test_a_root_outside_the_configured_ones_is_not_allowed(root: Path, tmp_path: Path, settings, named: str) -> None:
    settings.LOCAL_MODE = False
    settings.CARD_ROOTS = [str(tmp_path / "allowed")]
    (tmp_path / "allowed").mkdir()
    for name in ("other", "allowedother"):
        shutil.copytree(root, tmp_path / name)
    (tmp_path / "allowed" / "link").symlink_to(root)
    assert shown(named.format(allowed=tmp_path / "allowed")) is Reason.NOT_ALLOWED


def test_a_link_that_stays_below_the_root_is_followed(root: Path) -> None:
    (root / CARD).rename(root / "kept.html")
    (root / CARD).symlink_to(root / "kept.html")
    assert "the card" in shown(root)
    (root / "mf.cards").rename(root / "renamed")
    (root / "mf.cards").symlink_to("renamed")
    assert "the card" in shown(root)


def test_a_link_out_of_the_root_is_not_followed(root: Path, tmp_path: Path) -> None:
    secret = write(tmp_path / "secret" / "default-abcdef0123456789.html", "secret")
    (root / CARD).unlink()
    (root / CARD).symlink_to(secret)
    assert cards_of(TASK, Datastore("local", str(root))).cards == ()
    (root / CARD).unlink()
    (root / CARD).parent.rmdir()
    (root / CARD).parent.symlink_to(secret.parent)
    assert shown(root) is Reason.TASK_GONE


def test_a_file_swapped_for_a_link_after_it_was_listed_is_not_read(root: Path, tmp_path: Path) -> None:
    (card,) = cards_of(TASK, Datastore("local", str(root)))
    secret = write(tmp_path / "secret", "secret")
    (root / CARD).unlink()
    (root / CARD).symlink_to(secret)
    answer = card_page(card)
    assert isinstance(answer, Unavailable)
    assert answer.reason is Reason.TASK_GONE


@pytest.mark.parametrize("path", ["../secret", "mf.cards/../../secret", "/etc/passwd", "", ".", "mf.cards//x", "a/./b"])
def test_a_store_reads_no_path_that_leaves_it(root: Path, tmp_path: Path, path: str) -> None:
    write(tmp_path / "secret", "secret")
    store = LocalStore(root)
    assert store.read(path) is None
    assert store.files("..") == []


def test_a_pipe_where_a_card_should_be_neither_hangs_nor_is_read(root: Path) -> None:
    (root / CARD).unlink()
    os.mkfifo(root / CARD)
    assert shown(root) is Reason.TASK_GONE
    assert LocalStore(root).read(CARD) is None


def test_a_device_where_a_card_should_be_is_not_read(root: Path) -> None:
    (root / CARD).unlink()
    (root / CARD).symlink_to("/dev/zero")
    assert shown(root) is Reason.TASK_GONE
    assert LocalStore(Path("/dev")).read("zero") is None


def test_a_loop_of_links_is_nothing(root: Path) -> None:
    (root / CARD).unlink()
    (root / CARD).symlink_to(root / CARD)
    assert shown(root) is Reason.TASK_GONE


def test_a_card_of_more_than_64_mb_is_not_read(root: Path) -> None:
    os.truncate(root / CARD, MAX_BYTES + 1)
    assert shown(root) is Reason.TOO_LARGE


def test_a_card_that_the_server_may_not_open_says_so(reachable_root: Path) -> None:
    (reachable_root / CARD).chmod(0)
    with acting_as_plain_user(reachable_root):
        assert shown(reachable_root) is Reason.UNREACHABLE


def test_files_that_are_no_cards_are_not_listed(root: Path) -> None:
    folder = (root / CARD).parent
    for name in (
        "notes.html",
        "default-abcdef.txt",
        "a-b-c-abcdef.html",
        ".default-abcdef.html",
        "de fault-abcdef.html",
    ):
        write(folder / name)
    (folder / "blank-abcdef.html").mkdir()
    assert "the card" in shown(root)


def test_notes_that_are_broken_are_left_out(root: Path) -> None:
    notes = root / TASK / "_meta"
    write(notes / "_self.json", '{"user_name": 7, "tags": "x", "ts_epoch": "never"}')
    write(notes / "sysmeta_attempt_1.json", "{")
    write(notes / "sysmeta_user_1.json", "[1]")
    write(notes / "sysmeta_runtime_1.json", '{"field_name": "runtime", "value": null, "tags": [1, "attempt_id:x"]}')
    facts = task_facts(TASK, Datastore("local", str(root)))
    assert isinstance(facts, TaskFacts)
    assert (facts.state, facts.attempt, facts.user, facts.tags, facts.started) == ("running", 0, None, (), None)


# Roots of one perimeter


@pytest.fixture
def shared(tmp_path: Path, settings) -> Path:
    """A folder for all perimeters; in it the datastore of beta, and another one whose name begins alike."""
    settings.LOCAL_MODE = False
    for name in ("beta", "beta2", "alpha"):
        write(tmp_path / "shared" / name / CARD, f"<html><body>the card of {name}</body></html>")
    settings.CARD_ROOTS = [str(tmp_path / "shared"), f"beta={tmp_path / 'shared' / 'beta'}"]
    return tmp_path / "shared"


def test_a_bound_root_is_read_for_its_perimeter_only(shared: Path) -> None:
    assert "card of beta" in shown(shared / "beta", perimeter="beta")
    for perimeter in ("alpha", "bet", "Beta", ""):
        assert shown(shared / "beta", perimeter=perimeter) is Reason.NOT_ALLOWED
        assert "card of beta2" in shown(shared / "beta2", perimeter=perimeter)


@pytest.mark.parametrize(
    "named", ["beta/", "beta/.", "alpha/../beta", "beta/mf.cards", "//beta", "./beta", "link", "link/mf.cards"]
)
def test_another_way_to_write_a_bound_root_opens_it_no_more(shared: Path, named: str) -> None:
    (shared / "link").symlink_to(shared / "beta")
    assert shown(f"{shared}/{named}", perimeter="alpha") is Reason.NOT_ALLOWED
    assert "card of beta" in shown(f"{shared}/{named}", perimeter="beta")


def test_a_bound_root_is_not_read_through_a_wider_one(shared: Path, settings) -> None:
    task, card = "beta/1/start/2", "beta/runs/1/steps/start/tasks/2/cards/default-abcdef0123456789.html"
    write(shared / card)
    write(shared / task / "_meta" / "_self.json", '{"user_name": "olga"}')
    settings.CARD_ROOTS = [str(shared)]
    assert "the card" in shown(shared, perimeter="alpha", task=task)
    settings.CARD_ROOTS = [str(shared), f"beta={shared / 'beta'}"]
    assert shown(shared, perimeter="alpha", task=task) is Reason.TASK_GONE
    assert isinstance(task_facts(task, Datastore("local", str(shared), "alpha")), Unavailable)
    assert isinstance(task_facts(task, Datastore("local", str(shared), "beta")), TaskFacts)


def test_a_link_into_a_bound_root_is_not_followed(shared: Path) -> None:
    card = shared / "alpha" / CARD
    card.unlink()
    card.symlink_to(shared / "beta" / CARD)
    assert cards_of(TASK, Datastore("local", str(shared), "alpha")).cards == ()
    shutil.rmtree(shared / "alpha")
    (shared / "mf.cards").symlink_to(shared / "beta" / "mf.cards")
    assert shown(shared, perimeter="alpha") is Reason.TASK_GONE
    assert "card of beta" in shown(shared, perimeter="beta")


def test_roots_of_others_are_not_searched_either(shared: Path, settings) -> None:
    settings.CARD_ROOTS = [f"beta={shared / 'beta'}"]
    assert len(cards_of(TASK, Datastore(perimeter="beta"))) == 1
    missing = cards_of(TASK, Datastore(perimeter="alpha")).missing
    assert missing is not None
    assert missing.reason is Reason.UNREACHABLE


def test_the_innermost_of_bound_roots_decides(shared: Path, settings) -> None:
    settings.CARD_ROOTS = [f"alpha={shared}", f"beta={shared / 'beta'}", f"gamma={shared / 'beta'}", "/"]
    assert "card of alpha" in shown(shared / "alpha", perimeter="alpha")
    assert shown(shared / "alpha", perimeter="beta") is Reason.NOT_ALLOWED
    assert shown(shared / "beta", perimeter="alpha") is Reason.NOT_ALLOWED
    for perimeter in ("beta", "gamma"):
        assert "card of beta" in shown(shared / "beta", perimeter=perimeter)


def test_in_local_mode_too_a_bound_root_is_read_for_its_perimeter_only(shared: Path, settings) -> None:
    settings.LOCAL_MODE = True
    assert shown(shared / "beta", perimeter="alpha") is Reason.NOT_ALLOWED
    settings.CARD_ROOTS = settings.CARD_ROOTS[1:]
    task = "beta/1/start/2"
    write(shared / "beta/runs/1/steps/start/tasks/2/cards/default-abcdef0123456789.html")
    assert shown(shared, perimeter="alpha", task=task) is Reason.TASK_GONE


@pytest.mark.parametrize(
    ("entry", "place", "perimeter"),
    [
        ("/data", Path("/data"), None),
        ("beta=/data, x/y ", Path("/data, x/y "), "beta"),
        ("/data/year=2026", Path("/data/year=2026"), None),
        ("beta=/data/year=2026", Path("/data/year=2026"), "beta"),
        ("s3://team/a=b", Bucket("team", "a=b"), None),
        ("team-2=s3://team/metaflow/", Bucket("team", "metaflow"), "team-2"),
        ("~/cards", Path("~/cards").expanduser(), None),
    ],
)
def test_an_entry_is_a_root_with_or_without_a_name(entry: str, place: Path | Bucket, perimeter: str | None) -> None:
    assert Root.parse(entry) == Root(place, perimeter)


@pytest.mark.parametrize(
    "entry",
    ["", "data", "beta=", "=/data", "Beta=/data", "be ta=/data", "beta=data", "s3:/team", "beta=s3://a//b", "a=b=/data",
     "gs://team/metaflow", "beta=s3://a/../b", "/da\0ta", "../data", "beta:/data"],
)  # fmt: skip
def test_a_malformed_entry_is_told_at_the_start_and_opens_nothing(root: Path, settings, entry: str) -> None:
    settings.LOCAL_MODE = False
    settings.CARD_ROOTS = [str(root), entry]
    (error,) = check_card_roots(None)
    assert error.id == "catalog.E001"
    assert repr(entry) in error.msg
    if entry:
        with pytest.raises(ValueError, match=r"is not the name|is neither"):
            shown(root)


def test_one_root_in_a_bucket_holds_what_lies_below_it() -> None:
    allowed = Bucket.parse("s3://team/metaflow/")
    assert allowed is not None
    for url, inside in {
        "s3://team/metaflow": True,
        "s3://team/metaflow/mf.cards": True,
        "s3://team/metaflow2": False,
        "s3://team": False,
        "s3://other/metaflow": False,
    }.items():
        bucket = Bucket.parse(url)
        assert bucket is not None
        assert allowed.holds(bucket) is inside, url


@pytest.mark.parametrize("url", ["s3://", "s3://a/../b", "s3://a//b", "http://a/b", "s3://a b/c", "s3:///c", "/a/b"])
def test_what_is_no_bucket_is_none(url: str) -> None:
    assert Bucket.parse(url) is None


def test_a_store_tells_when_it_can_not_be_opened(reachable_root: Path) -> None:
    (reachable_root / CARD).chmod(0)
    with acting_as_plain_user(reachable_root), pytest.raises(UnavailableError):
        LocalStore(reachable_root).read(CARD)


def test_a_user_without_a_home_folder_has_no_configuration_of_metaflow(monkeypatch):
    for name in ("HOME", "METAFLOW_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 987654)
    assert metaflow_setting("CARD_LOCALROOT") is None
    assert configuration_file() == Path("~/.metaflowconfig/config.json")
