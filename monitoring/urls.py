"""The app's addresses."""

from django.urls import URLPattern, URLResolver, path

from monitoring.api import status as api
from monitoring.views import health, status_page

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.prometheus, name="metrics"),
    path("status/", status_page.status_page, name="status"),
    path("status/verify/", status_page.verify_now, name="verify_now"),
    path("api/v1/status", api.StatusView.as_view(), name="api_status"),
]
