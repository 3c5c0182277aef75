"""A port that is not to be had is told in a sentence, with who has it."""

import errno
import os
import socket
from pathlib import Path

import psutil
import pytest
from django.core.management.base import CommandError

from catalog.supervising import ports
from catalog.supervising.ports import check_port, claimed
from tests.conftest import free_port


@pytest.fixture
def taken():
    """A port on which this process listens, as Granian does: others may listen there, too."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_free_port_is_fine_also_while_old_connections_to_it_fade():
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(("127.0.0.1", port)):
        server.accept()[0].close()
    check_port("127.0.0.1", port)


def test_who_has_a_port_is_named(taken):
    with pytest.raises(CommandError, match=rf"Port {taken} is taken by process {os.getpid()} \(.+--port {taken + 1}\."):
        check_port("127.0.0.1", taken)


def test_another_server_is_named_with_its_catalogue(taken, monkeypatch):
    monkeypatch.setattr(psutil.Process, "cmdline", lambda self: ["python", "/x/manage.py", "serve"])
    monkeypatch.setattr(psutil.Process, "environ", lambda self: {"ASSETSITE_HOME": "/srv/other"})
    with pytest.raises(CommandError, match=f"by process {os.getppid()}, which serves the catalogue in /srv/other"):
        check_port("0.0.0.0", taken)


def test_of_one_that_chose_its_folder_itself_is_told_where_it_was_started(taken, monkeypatch):
    monkeypatch.setattr(psutil.Process, "cmdline", lambda self: ["python", "-m", "assetsite", "serve"])
    monkeypatch.setattr(psutil.Process, "environ", lambda self: {})
    with pytest.raises(CommandError, match=rf"which serves a catalogue; it was started in {Path.cwd()}\."):
        check_port("127.0.0.1", taken)


def test_what_else_serves_something_of_this_name_is_not_taken_for_it(taken, monkeypatch):
    monkeypatch.setattr(psutil.Process, "cmdline", lambda self: ["node", "serve", "/home/ada/assetsite"])
    with pytest.raises(CommandError, match=rf"process {os.getpid()} \(node serve"):
        check_port("127.0.0.1", taken)


def test_a_process_of_another_user_has_it_without_a_name(taken, monkeypatch):
    def refuses(kind):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refuses)
    with pytest.raises(CommandError, match="is taken by a process of another user"):
        check_port("127.0.0.1", taken)


def test_web_processes_that_are_ending_are_waited_for(taken, monkeypatch):
    found = iter([OSError(errno.EADDRINUSE, "taken"), OSError(errno.EADDRINUSE, "taken"), None])
    monkeypatch.setattr(ports, "_error_of", lambda address, port: next(found))
    monkeypatch.setattr(ports, "_is_orphan", lambda process: True)
    check_port("127.0.0.1", taken)
    assert not list(found)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (errno.EACCES, "This user may not listen on port 80. Choose one from 1024 on, such as --port 8000."),
        (errno.EIO, "The site can't listen on 127.0.0.1, port 80: it is broken."),
    ],
)
def test_what_the_system_refuses_is_told(error, sentence, monkeypatch):
    monkeypatch.setattr(ports, "_error_of", lambda address, port: OSError(error, "it is broken"))
    with pytest.raises(CommandError) as refused:
        check_port("127.0.0.1", 80)
    assert str(refused.value) == sentence


@pytest.mark.parametrize("address", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_told(address):
    with pytest.raises(CommandError, match=address):
        check_port(address, free_port())


def test_two_servers_that_start_at_once_do_not_both_pass():
    port = free_port()
    with claimed("127.0.0.1", port):
        with pytest.raises(CommandError, match=f"is starting on port {port} just now"), claimed("127.0.0.1", port):
            pass
        with claimed("127.0.0.1", free_port()):
            pass
    with claimed("127.0.0.1", port):
        pass
