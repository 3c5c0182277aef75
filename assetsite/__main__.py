"""`python -m assetsite`: the command `assetsite`, of just this Python."""

import sys

from assetsite.command import main

if __name__ == "__main__":
    sys.exit(main())
