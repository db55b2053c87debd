"""The app's name in Django."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from billing import checks  # noqa: F401  registers itself
        from billing.documents import checks as document_checks  # noqa: F401  registers itself
