"""How gunicorn serves Vault; read by gunicorn itself (`gunicorn -c python:vault.web vault.wsgi`)."""

import os

bind = f"{os.environ.get('VAULT_BIND', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104 - a platform's router
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 10
keepalive = 5
max_requests = 5000  # bounds what a leak could grow to
max_requests_jitter = 500
preload_app = True
accesslog = None
control_socket_disable = True  # we speak to the master by signals only
