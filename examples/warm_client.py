"""The program of `warm.py`: asks the warm process to be what it was called as, and ends as that does.

It is run without Python's site-packages, and imports next to nothing: python -IS warm_client.py ADDRESS PYTHON WORD ...
"""

import os
import signal
import socket
import sys
from json import dumps


def main(address: str, python: str, *words: str) -> int:
    """The exit code; does not return where an ordinary Python does it."""
    file = words[words[:1] == ("-u",) :][:1]
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            if not file or file[0].startswith("-"):
                raise OSError("which is nothing that is forked")
            connection.connect(address)
            told = {"words": words, "folder": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109 (light)
            socket.send_fds(connection, [b" "], [0, 1, 2])
            connection.sendall(dumps(told).encode() + b"\n")
        except OSError:
            os.execv(python, [python, *words])  # noqa: S606 (it is ours)
        status = connection.recv(16)
    if not status:
        return 1  # the warm process is gone, and what it has forked with it
    if (code := int(status)) < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
