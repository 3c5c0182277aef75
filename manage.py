#!/usr/bin/env python3
"""Command line of the site: migrations, tokens, recounts, the server itself."""

import gc
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assetsite.settings")
    gc.set_threshold(20_000, 20, 50)  # as often as by itself, Python looks for garbage a sixth of the time of a start
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    try:
        execute_from_command_line(sys.argv)
    except DatabaseError as error:
        from catalog.starting.faults import sentence_about

        sentence = sentence_about(error)
        if not sentence or "--traceback" in sys.argv:
            raise
        sys.exit(sentence)


if __name__ == "__main__":
    main()
