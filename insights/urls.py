"""The app's addresses."""

from django.urls import URLPattern, URLResolver, path

from insights.api import amendments as api_amendments
from insights.api.reconciliation import HourView, ReconciliationView
from insights.views import amending, amendments, event, reconciliation, remedies, reports

urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/", reports.reports, name="reports"),
    path("reports/journal/", reports.journal_file, name="journal"),
    path("reports/focus.csv", reports.focus_file, name="focus"),
    path("usage/reconciliation/", reconciliation.hours, name="reconciliation"),
    path("usage/events/<str:source>/<path:event_id>/", event.event, name="usage_event"),
    path("usage/reconciliation/export.csv", reconciliation.export, name="reconciliation_export"),
    path("usage/reconciliation/hour/", reconciliation.hour, name="reconciliation_hour"),
    path("usage/problems/remedy/", remedies.remedy, name="usage_remedy"),
    path("usage/amendments/", amendments.amendments, name="usage_amendments"),
    path("usage/amendments/export.csv", amendments.export, name="usage_amendments_export"),
    path("usage/amendments/new/", amending.amend, name="usage_amend"),
    path("usage/amendments/<int:key>/", amendments.amendment, name="usage_amendment"),
    path("usage/amendments/<int:key>/revert/", amendments.revert, name="usage_amendment_revert"),
    path("api/v1/usage/reconciliation", ReconciliationView.as_view(), name="api_usage_reconciliation"),
    path("api/v1/usage/reconciliation/hour", HourView.as_view(), name="api_usage_reconciliation_hour"),
    path("api/v1/usage/amendments", api_amendments.Amendments.as_view(), name="api_usage_amendments"),
    path("api/v1/usage/amendments/<int:key>", api_amendments.AmendmentDetail.as_view(), name="api_usage_amendment"),
    path(
        "api/v1/usage/amendments/<int:key>/revert",
        api_amendments.AmendmentRevert.as_view(),
        name="api_usage_amendment_revert",
    ),
]
