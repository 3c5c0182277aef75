"""A Python that has imported Metaflow already: each flow, step and card is a process forked from it.

Importing Metaflow is most of what a short step costs, and a run of two steps with a card is six processes. So one
process imports it once, and a program is made that is called as an interpreter is (``[-u] FILE …``). The program hands
its arguments, folder, environment and standard streams to the warm process, which forks one that runs the file, and
ends as that one does. There `sys.executable` is the program, so what Metaflow starts is forked too.

What must not differ between the two does not: where Metaflow's configuration, its variables or its extensions are other
ones than those that were imported, where the options are others, and where there is no warm process, an ordinary Python
is started.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

MODULES = ("metaflow", "metaflow.cards", "obproject.flow", "obproject.highlights", "obproject.prj")
"""What flows, steps and cards import, whichever they are."""
Configuration = tuple[tuple[tuple[str, str], ...], str | None]
CLIENT = Path(__file__).with_name("warm_client.py")
NOT_IMPORTED = ("METAFLOW_HOME", "METAFLOW_PROFILE", "METAFLOW_RUN_ID", "METAFLOW_ENV_ESCAPE_")
"""Variables of Metaflow's that name its configuration, and those that it reads or sets whenever it runs."""


@contextmanager
def warm_python(environment: Mapping[str, str]) -> Iterator[str]:
    """The path of the program, while the warm process, which has imported Metaflow with this environment, lives.

    Where the system has no means to wait for a process as for a stream (it is not Linux), that of an ordinary Python.
    """
    if not hasattr(os, "pidfd_open"):
        yield sys.executable
        return
    with tempfile.TemporaryDirectory(prefix="assetsite-warm-") as folder:
        address, program = Path(folder, "socket"), Path(folder, "python")
        words = [shlex.quote(str(word)) for word in (sys.executable, "-I", "-S", CLIENT, address, sys.executable)]
        program.write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')
        program.chmod(0o755)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(address))
            listener.listen(128)  # who asks before Metaflow is imported waits
            number = listener.fileno()
            command = [sys.executable, "-P", str(Path(__file__)), str(number), str(program)]
            process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, pass_fds=[number])
        try:
            yield str(program)
        finally:
            process.communicate()  # the end of its input is its own


@dataclass(frozen=True)
class Request:
    """What a process is to be."""

    words: list[str]
    folder: str
    environment: dict[str, str]

    @property
    def file(self) -> Path:
        return Path(self.folder, self.words[self.words[0] == "-u"])

    @property
    def path(self) -> list[str]:
        """What is first on the path of modules: the folder of the file, and what the environment says."""
        further = self.environment.get("PYTHONPATH", "").split(os.pathsep)
        return [str(self.file.resolve().parent), *filter(None, further)]

    @property
    def needs_an_ordinary_python(self) -> bool:
        added = (Path(folder, "metaflow_extensions") for folder in self.path if folder not in sys.path)
        is_extended = any(folder.is_dir() for folder in added)
        return is_extended or configuration_of(self.environment) != configuration_of(os.environ)


def configuration_of(environment: Mapping[str, str]) -> Configuration:
    """What Metaflow reads when it is imported: its variables, and the file that they name."""
    names = [name for name in environment if name.startswith("METAFLOW_") and not name.startswith(NOT_IMPORTED)]
    home = environment.get("METAFLOW_HOME") or Path(environment.get("HOME", ""), ".metaflowconfig")
    profile = environment.get("METAFLOW_PROFILE")
    file = Path(home, f"config_{profile}.json" if profile else "config.json")
    return tuple((name, environment[name]) for name in sorted(names)), file.read_text() if file.is_file() else None


def fork_for_each_request(listener: socket.socket) -> Request:
    """Return in a process of its own for each request that comes; else end when the input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how those ended that keep what is forked
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return _forked(connection)
        connection.close()
    raise SystemExit(0)


def _forked(connection: socket.socket) -> Request:
    """Return in a further process, with the streams of whoever has asked; wait for it, and say how it has ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile() as told:
        request = Request(**json.loads(told.readline()))
    if (process := os.fork()) == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return request
    for stream in streams:
        os.close(stream)
    if connection in select.select([connection, os.pidfd_open(process)], [], [])[0]:
        os.kill(process, signal.SIGTERM)  # whoever has asked has gone
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with suppress(BrokenPipeError):
        connection.sendall(str(code).encode())
    os._exit(0)


def be(request: Request, program: str, beside_ours: dict[str, Any]) -> None:
    """Run what is asked for, as a Python does that was started for it.

    ``beside_ours`` is what Metaflow keeps in the main module, because it is pickled as being there.
    """
    os.chdir(request.folder)
    if request.needs_an_ordinary_python:
        os.execve(sys.executable, [sys.executable, *request.words], request.environment)  # noqa: S606 (it is ours)
    os.environ.clear()
    os.environ.update(request.environment)
    file, *arguments = request.words[request.words[:1] == ["-u"] :]
    sys.argv = [file, *arguments]
    sys.path[0:0] = request.path
    sys.executable = program
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (as long as the process)
    sys.stdout, sys.stderr = _unbuffered(1, "strict"), _unbuffered(2, "backslashreplace")
    loader = SourceFileLoader("__main__", file)
    sys.modules["__main__"] = main = ModuleType("__main__")
    main.__file__, main.__loader__ = file, loader
    vars(main).update(beside_ours)
    loader.exec_module(main)


def _unbuffered(number: int, errors: str) -> io.TextIOWrapper:
    """A stream as Python has it by the option -u."""
    return io.TextIOWrapper(open(number, "wb", buffering=0, closefd=False), "utf-8", errors, write_through=True)


def main(listener: str, program: str) -> None:
    """Import what flows import, then be what is asked for, each time in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for who has started it, and for what is forked
    ours = set(globals())
    for module in MODULES:
        importlib.import_module(module)
    gc.freeze()
    request = fork_for_each_request(socket.socket(fileno=int(listener)))
    be(request, program, {name: value for name, value in globals().items() if name not in ours})


if __name__ == "__main__":
    main(*sys.argv[1:])
