"""Every address: the pages that compose several apps, then each app's own routes."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from vault.admin import site
from vault.views import account, account_list, audit, home

urlpatterns = [
    path("", home.home, name="home"),
    path("audit/", audit.audit, name="audit"),
    path("admin/", site.urls),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api_docs"),
    path("", include("monitoring.urls")),
    path("", include("insights.urls")),
    path("", include("collections_.urls")),
    path("", include("billing.urls")),
    path("", include("usage.urls")),
    path("", include("accounts.urls")),
    # After the app's own pages below /accounts/, which these would swallow.
    path("accounts/", account_list.accounts, name="accounts"),
    path("accounts/export.csv", account_list.export, name="accounts_export"),
    path("accounts/<str:code>/", account.account, name="account"),
    path("accounts/<str:code>/<str:part>/", account.part, name="account_part"),
]
