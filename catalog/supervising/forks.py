"""The processes of a site are forked off, whatever Python would do by itself."""

import multiprocessing


def fork_off() -> None:
    """Have all processes that `multiprocessing` starts from now on forked off where Python 3.14 no longer does so.

    Its fork server would be their parent, while each of ours ends when this process is not, and is known by the command
    line that they share. Where Python has not forked by itself before, on macOS, it is not safe.
    """
    if multiprocessing.get_start_method() == "forkserver":
        multiprocessing.set_start_method("fork", force=True)
