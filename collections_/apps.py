"""The app's name in Django."""

from django.apps import AppConfig


class CollectionsConfig(AppConfig):
    name = "collections_"
    label = "collections"
    verbose_name = "Collections"
