"""The entry point of the asynchronous web process."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vault.settings")
application = get_asgi_application()
