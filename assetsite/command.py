"""The command `assetsite`: what is asked for often under names of its own, and `manage` for all that Django can do."""

import difflib
import gc
import os
import sys
from collections.abc import Sequence

SETTINGS = ("DJANGO_SETTINGS_MODULE", "assetsite.settings")
COMMANDS = {
    "demo": "run two example projects for real with Metaflow, and serve the site that they fill",
    "serve": "serve the site: to this machine only, or to a team with ASSETSITE_MODE=team",
    "work": "do the jobs of the background without a server, such as on another machine",
    "token": "create, list and revoke the tokens of programs",
    "backup": "write the whole catalogue into one file, while it is used",
    "restore": "bring a backup back",
    "reconcile": "bring the catalogue up to date with what tasks kept in Metaflow's metadata",
    "rebuild": "make an empty catalogue whole again from Metaflow alone",
    "check": "say what is wrong with the settings; with --deploy, what an operator would regret",
    "manage": "whatever else Django's manage.py does, such as: assetsite manage migrate",
}
SAY_WHERE = ("demo", "serve", "work")
"""Commands that go on: their first line says where they keep things."""
HELP = ("help", "-h", "--help")
UNKNOWN = 2
"""Exit code of a command line that can't be right."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code, unless Django has ended the process with one."""
    name, *rest = (sys.argv[1:] if words is None else words) or HELP[:1]
    if name in HELP:
        print(_help())
    elif name == "--version":
        print(_which())
    elif name == "manage":
        manage("assetsite manage", rest)
    elif name == "demo":
        return _demo(rest)
    elif name in COMMANDS:
        if name in SAY_WHERE and not set(rest) & set(HELP):
            _say_where()
        manage("assetsite", [name, *rest])
    else:
        print(_unknown(name), file=sys.stderr)
        return UNKNOWN
    return 0


def manage(program: str, words: Sequence[str]) -> None:
    """Run a command of Django's or of the site's, as `program` on whose command line it stands."""
    os.environ.setdefault(*SETTINGS)
    gc.set_threshold(20_000, 20, 50)  # as often as by itself, Python looks for garbage a sixth of the time of a start
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    try:
        execute_from_command_line([program, *words])
    except DatabaseError as error:
        from catalog.starting.faults import sentence_about

        sentence = sentence_about(error)
        if not sentence or "--traceback" in words:
            raise
        sys.exit(sentence)


def _demo(words: Sequence[str]) -> int:
    if words:
        print("usage: assetsite demo\n")
        print("Runs two example projects for real with Metaflow, and serves the site that they fill.")
        print("The variable PORT chooses its port, which is 8000 by itself.")
        return 0 if words[0] in HELP else UNKNOWN
    os.environ["ASSETSITE_HOME"] = _say_where()
    from examples.__main__ import main as demo  # which has its folders below it

    return demo()


def _which() -> str:
    from catalog.starting.versions import own_version

    return f"assetsite {own_version()}"


def _say_where() -> str:
    """Say which version this is and where its files are; that folder."""
    os.environ.setdefault(*SETTINGS)
    from django.conf import settings

    print(f"{_which()} keeps its files in {settings.HOME}", flush=True)
    return str(settings.HOME)


def _help() -> str:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:{width}}{what}" for name, what in COMMANDS.items()]
    more = "assetsite COMMAND --help says more; assetsite --version which this is."
    return "\n".join(["usage: assetsite COMMAND …\n", *lines, "", more])


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.75)
    hint = f"Did you mean assetsite {near[0]}?" if near else f"For one of Django's: assetsite manage {name}"
    return f"assetsite has no command {name!r}. {hint} The commands are listed by: assetsite help"
