"""``python -m obproject.deploy``."""

import sys

from obproject.deploy import main

sys.exit(main())
