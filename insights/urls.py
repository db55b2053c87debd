"""The app's addresses."""

from django.urls import URLPattern, URLResolver, path

from insights.views import reports

urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/", reports.reports, name="reports"),
    path("reports/journal/", reports.journal_file, name="journal"),
    path("reports/focus.csv", reports.focus_file, name="focus"),
]
