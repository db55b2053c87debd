"""The project as an app: it owns the pages and commands that compose all the others."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "vault"
    label = "vault"
