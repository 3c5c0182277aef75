"""The WSGI application that a server process loads."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from assetsite.public_address import behind

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "assetsite.settings")

application = behind(settings.PUBLIC_ADDRESS, get_wsgi_application())
