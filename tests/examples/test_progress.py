"""How far the demo is, written and read: whole or not at all, and of no demo that is gone."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from examples.progress import FILE, LARGEST, LOCK, AtWork, Progress, is_at_work, read

TOLD = Progress(38, 12, ("TrainFlow on main", "ComicData on main"), look_at="/default/churn/main")


def file_of(**other: Any) -> str:
    return json.dumps({"format": 1, **asdict(TOLD), **other})


def test_what_is_told_is_read(tmp_path):
    folder = tmp_path / "home" / "demo"
    assert (is_at_work(folder), read(folder)) == (False, None)
    at_work = AtWork(folder)
    assert (is_at_work(folder), read(folder)) == (True, Progress())
    at_work.tell(TOLD)
    at_work.tell(TOLD)
    assert read(folder) == replace(TOLD, turn=1)
    at_work.fail("It did not end as it should.", "/demo/log")
    assert read(folder) == replace(TOLD, turn=2, running=(), failed="It did not end as it should.", log="/demo/log")
    at_work.end()
    assert not is_at_work(folder)
    assert sorted(path.name for path in folder.iterdir()) == [FILE, LOCK]


def test_its_mark_is_another_one_whenever_it_is(tmp_path):
    at_work, marks = AtWork(tmp_path), []
    for one in (TOLD, replace(TOLD, running=()), TOLD, replace(TOLD, done=13)):
        at_work.tell(one)
        marks.append(read(tmp_path).mark)
    at_work.end()
    assert marks == ["12-1", "12-2", "12-3", "13-4"]


def test_nobody_sees_a_part_of_it(tmp_path):
    at_work, over = AtWork(tmp_path), threading.Event()

    def write() -> None:
        for number in range(300):
            at_work.tell(replace(TOLD, runs=1_000, done=number, running=("x" * number,)))
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not over.is_set():
        assert read(tmp_path) is not None
    writer.join()
    at_work.end()


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "7", '"x"', file_of()[:-5], file_of(format=2), file_of(format=None), "[" * 10_000),
        *(file_of(more=1), file_of(done=-1), file_of(done=39), file_of(done="12"), file_of(done=True)),
        *(file_of(done=1e400), file_of(turn=-1), file_of(over=1), file_of(running="TrainFlow"), file_of(running=[7])),
        *(
            file_of(log=None),
            file_of(failed="a\nb"),
            file_of(failed="\ud800"),
            file_of(log="\N{RIGHT-TO-LEFT OVERRIDE}"),
        ),
        *(file_of(look_at="javascript:alert(1)"), file_of(look_at="//elsewhere"), file_of(look_at="x")),
        file_of(log="x" * LARGEST),
        file_of(done=7).replace("7", "7" * 5_000),
    ],
)
def test_a_file_that_makes_no_sense_is_none(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert read(tmp_path) is None


def test_nor_is_one_that_is_no_file(tmp_path):
    kinds = {name: tmp_path / name for name in ("bytes", "link", "loop", "pipe", "folder", "closed")}
    for folder in kinds.values():
        folder.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(file_of())
    (kinds["bytes"] / FILE).write_bytes(b"\xff\xfe" + file_of().encode())
    (kinds["link"] / FILE).symlink_to(elsewhere)
    (kinds["loop"] / FILE).symlink_to(FILE)
    os.mkfifo(kinds["pipe"] / FILE)
    (kinds["folder"] / FILE).mkdir()
    (kinds["closed"] / FILE).write_text(file_of())
    (kinds["closed"] / FILE).chmod(0)
    refused = [name for name, folder in kinds.items() if read(folder) is None]
    assert refused == [name for name in kinds if name != "closed" or os.geteuid()]  # root may read whatever there is


def test_where_nothing_can_be_written_the_demo_goes_on(tmp_path):
    at_work = AtWork(tmp_path)
    (tmp_path / f"{FILE}.draft").mkdir()
    at_work.tell(TOLD)
    at_work.end()
    assert read(tmp_path) == Progress()


def test_a_second_demo_is_refused_in_a_sentence_until_the_first_one_is_over(tmp_path):
    folder = tmp_path / "demo"
    first = AtWork(folder)
    with pytest.raises(SystemExit, match=f"Another demo is filling {tmp_path} already"):
        AtWork(folder)
    first.end()
    AtWork(folder).end()


def test_who_only_looks_refuses_nobody(tmp_path):
    AtWork(tmp_path).end()
    looking = os.open(tmp_path / LOCK, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    soon = threading.Timer(0.1, os.close, [looking])
    soon.start()
    AtWork(tmp_path).end()
    soon.join()


def test_a_demo_that_is_killed_is_at_work_no_longer(tmp_path):
    code = "import sys, time, assetsite; from pathlib import Path; from examples.progress import AtWork"
    waits = "it = AtWork(Path(sys.argv[1])); print(); sys.stdout.flush(); time.sleep(60)"
    words = [sys.executable, "-c", f"{code}; {waits}", str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as demo:
        assert demo.stdout
        demo.stdout.readline()
        assert is_at_work(tmp_path)
        demo.send_signal(signal.SIGKILL)
    assert not is_at_work(tmp_path)
    assert read(tmp_path) == Progress()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("elsewhere")])
def test_a_lock_that_is_none_is_not_held(tmp_path, make):
    make(tmp_path / LOCK)
    assert not is_at_work(tmp_path)
