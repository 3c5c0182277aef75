"""Whether the site can listen where it should. The web processes share their port, so they would share that of others.

Two servers on one port answer by chance, the one or the other, from two catalogues.
"""

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from django.core.management.base import CommandError

from catalog.supervising.orphans import STOPS_WITHIN

ORPHANS_END_WITHIN = STOPS_WITHIN + 2  # seconds


def check_port(address: str, port: int) -> None:
    """Raises `CommandError`, with a sentence, if nobody can listen there now.

    Web processes whose parent was killed are ending; they are waited for.
    """
    until = time.monotonic() + ORPHANS_END_WITHIN
    while error := _error_of(address, port):
        process = _listener(port) if error.errno == errno.EADDRINUSE else None
        if process is None or not _is_orphan(process) or time.monotonic() > until:
            raise CommandError(_sentence(error, process, address, port))
        time.sleep(0.2)


@contextmanager
def claimed(address: str, port: int) -> Iterator[None]:
    """Until it ends, no other server of the catalogue on this machine begins to listen there.

    `check_port` alone would let two pass that start at once. The claim is a name of the system's that ends with this
    process; where the system has no such names (it is not Linux), `check_port` has to do.
    """
    with socket.socket(socket.AF_UNIX) as claim:
        try:
            claim.bind(f"\0assetsite {address} {port}")
        except FileNotFoundError:
            pass
        except OSError:
            raise CommandError(f"Another server of a catalogue is starting on port {port} just now.") from None
        check_port(address, port)
        yield


def _error_of(address: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are over don't count
            probe.bind(where)
            probe.listen()
    except OSError as error:
        return error
    return None


def _sentence(error: OSError, process: psutil.Process | None, address: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            other = port + 1 if port < 65535 else port - 1
            return f"Port {port} is taken by {_who(process)}. End it, or choose another port: --port {other}."
        case errno.EACCES:
            return f"This user may not listen on port {port}. Choose one from 1024 on, such as --port 8000."
        case errno.EADDRNOTAVAIL:
            return f"This machine has no address {address} to listen on. Set ASSETSITE_BIND to one that it has."
        case _:
            return f"The site can't listen on {address}, port {port}: {error.strerror}."


def _listener(port: int) -> psutil.Process | None:
    """Who listens there, as far as the system tells this user; of a server's processes the first one."""
    try:
        pids = [
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
            and getattr(connection.laddr, "port", 0) == port
            and connection.pid
        ]
        return psutil.Process(min(pids)) if pids else None
    except psutil.Error:  # ended meanwhile, or not for this user to see
        return None


def _who(process: psutil.Process | None) -> str:
    if process is None:
        return "a process of another user"
    try:
        command = process.cmdline()
    except psutil.Error:
        return f"process {process.pid}"
    if not _serves(command):
        return f"process {process.pid} ({' '.join(command)[:80]})"
    parent = process.parent()
    return f"process {parent.pid if parent else process.pid}, which serves {_catalogue(process)}"


def _serves(command: list[str]) -> bool:
    """Whether this is the command line of `assetsite serve`."""
    before = command[: command.index("serve")][-2:] if "serve" in command else []
    return any(Path(part).name in ("assetsite", "manage.py") for part in before)


def _is_orphan(process: psutil.Process) -> bool:
    """Whether it is a web process without the one that has started it."""
    try:
        parent = process.parent()
        return _serves(process.cmdline()) and not (parent and _serves(parent.cmdline()))
    except psutil.Error:
        return False


def _catalogue(process: psutil.Process) -> str:
    """Where it is, as far as that can be told: which folder the other process takes by itself only it knows."""
    try:
        home = process.environ().get("ASSETSITE_HOME", "")
        return f"the catalogue in {home}" if home else f"a catalogue; it was started in {process.cwd()}"
    except psutil.Error:
        return "a catalogue"
