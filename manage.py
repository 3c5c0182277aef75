#!/usr/bin/env python3
"""The command line of a checkout: what `assetsite` and `assetsite manage` do, by the same code."""

import sys

from assetsite.command import manage

if __name__ == "__main__":
    manage("manage.py", sys.argv[1:])
