"""``python -m obproject.deploy``."""

import sys

from obproject.deploy.main import main

sys.exit(main())
