"""One password at a time for each address, and few at once in all."""

import subprocess
import sys
import threading

import pytest

from access.errors import TooManyRequests
from access.turns import Turns


def test_one_password_is_checked_at_a_time_for_each_address(tmp_path, monkeypatch):
    monkeypatch.setattr("access.turns.PATIENCE", 0.1)
    turns = Turns(tmp_path / "lock", threads=8)
    with turns.taken("192.0.2.7"):
        with turns.taken("192.0.2.8"):
            pass
        with pytest.raises(TooManyRequests), turns.taken("192.0.2.7"):
            pass
    with turns.taken("192.0.2.7"):
        pass


def test_other_processes_of_the_machine_see_whose_turn_it_is(tmp_path):
    take_all = f"import fcntl; fcntl.lockf(open({str(tmp_path / 'lock')!r}, 'wb'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    turns = Turns(tmp_path / "lock", threads=8)

    def is_free():
        return subprocess.run([sys.executable, "-Sc", take_all], stderr=subprocess.DEVNULL, check=False).returncode == 0

    with turns.taken("192.0.2.7"):
        assert not is_free()
    assert is_free()


def test_a_second_attempt_waits_for_the_first(tmp_path):
    turns, order = Turns(tmp_path / "lock", threads=4), []

    def second():
        with turns.taken("192.0.2.7"):
            order.append("second")

    with turns.taken("192.0.2.7"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_sign_ins_leave_threads_for_pages(tmp_path, monkeypatch):
    monkeypatch.setattr("access.turns.PATIENCE", 0.1)
    turns = Turns(tmp_path / "lock", threads=4)
    with (
        turns.taken("192.0.2.1"),
        turns.taken("192.0.2.2"),
        pytest.raises(TooManyRequests),
        turns.taken("192.0.2.3"),
    ):
        pass
