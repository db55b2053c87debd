"""The app's addresses: pages, then the API."""

from django.urls import URLPattern, URLResolver, path

from usage.api import events, heartbeats, ownerships

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/usage/events", events.Events.as_view(), name="api_usage_events"),
    path("api/v1/usage/heartbeats", heartbeats.Heartbeats.as_view(), name="api_usage_heartbeats"),
    path("api/v1/usage/ownerships/<str:reference>", ownerships.OwnershipDetail.as_view(), name="api_usage_ownership"),
    path("api/v1/usage/transfers", ownerships.Transfers.as_view(), name="api_usage_transfers"),
]
