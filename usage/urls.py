"""The app's addresses: pages, then the API."""

from django.urls import URLPattern, URLResolver, path

from usage.api import events, heartbeats, manifests, ownerships
from usage.api import sources as api_sources
from usage.views import events as explorer
from usage.views import problems, quarantine, resource, source_actions, sources

urlpatterns: list[URLPattern | URLResolver] = [
    path("sources/", sources.source_list, name="sources"),
    path("sources/new/", source_actions.new, name="source_new"),
    path("sources/<str:name>/", sources.source, name="source"),
    path("sources/<str:name>/change/", source_actions.change, name="source_change"),
    path("sources/<str:name>/revoke/", source_actions.revoke, name="source_revoke"),
    path("sources/<str:name>/secrets/<str:prefix>/revoke/", source_actions.revoke_secret, name="source_secret_revoke"),
    path("sources/<str:name>/rotate/", source_actions.rotate, name="source_rotate"),
    path("sources/<str:name>/pause/", source_actions.pause, name="source_pause"),
    path("sources/<str:name>/resume/", source_actions.resume, name="source_resume"),
    path("usage/problems/", problems.problems, name="usage_problems"),
    path("usage/problems/quarantine/<int:identifier>/", quarantine.one, name="quarantined"),
    path("usage/problems/quarantine/decide/", quarantine.many, name="quarantine_decide"),
    path("usage/events/", explorer.events, name="usage_events"),
    path("usage/events/export.csv", explorer.export, {"form": "csv"}, name="usage_events_csv"),
    path("usage/events/export.ndjson", explorer.export, {"form": "ndjson"}, name="usage_events_ndjson"),
    path("usage/resources/<path:name>/", resource.resource, name="usage_resource"),
    path("api/v1/usage/events", events.Events.as_view(), name="api_usage_events"),
    path("api/v1/usage/heartbeats", heartbeats.Heartbeats.as_view(), name="api_usage_heartbeats"),
    path("api/v1/usage/manifests", manifests.Manifests.as_view(), name="api_usage_manifests"),
    path("api/v1/usage/ownerships/<str:reference>", ownerships.OwnershipDetail.as_view(), name="api_usage_ownership"),
    path("api/v1/usage/sources", api_sources.Sources.as_view(), name="api_usage_sources"),
    path("api/v1/usage/sources/<str:name>", api_sources.SourceDetail.as_view(), name="api_usage_source"),
    path("api/v1/usage/sources/<str:name>/rotate", api_sources.SourceRotation.as_view(), name="api_usage_rotate"),
    path("api/v1/usage/sources/<str:name>/revoke", api_sources.SourceRevocation.as_view(), name="api_usage_revoke"),
    path(
        "api/v1/usage/sources/<str:name>/credentials/<str:prefix>/revoke",
        api_sources.CredentialRevocation.as_view(),
        name="api_usage_secret_revoke",
    ),
    path("api/v1/usage/sources/<str:name>/pause", api_sources.SourcePause.as_view(), name="api_usage_pause"),
    path("api/v1/usage/sources/<str:name>/resume", api_sources.SourceResumption.as_view(), name="api_usage_resume"),
    path("api/v1/usage/transfers", ownerships.Transfers.as_view(), name="api_usage_transfers"),
]
