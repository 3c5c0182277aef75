"""The site: its settings and addresses, and the command `assetsite`.

A checkout has the rooms that the site is made of beside this package, and templates and static files with them. A wheel
has them in the folder `rooms` of this package, so that names as common as `access` or `templates` are not taken in
somebody's environment. Importing this package makes them importable, before whatever else has these names.
"""

import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
IS_INSTALLED = (_PACKAGE / "rooms").is_dir()
"""Whether this is a wheel's, and no checkout's."""
ROOMS = _PACKAGE / "rooms" if IS_INSTALLED else _PACKAGE.parent
"""The folder with the rooms, `templates`, `static` and `examples`."""

if sys.path[0] != str(ROOMS):
    sys.path.insert(0, str(ROOMS))
