"""Every address: the pages that compose several apps, then each app's own routes."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from vault.admin import site
from vault.views import (
    account,
    account_contracts,
    account_credits,
    account_current,
    account_list,
    audit,
    home,
    invoice,
    unbilled,
)
from vault.views.portal import access, invoices, overview, statement, usage

portal = [
    path("", overview.overview, name="portal"),
    path("account/", overview.switch, name="portal_account"),
    path("usage/", usage.usage, name="portal_usage"),
    path("usage/export.csv", usage.export, name="portal_usage_export"),
    path("invoices/", invoices.invoices, name="portal_invoices"),
    path("invoices/<str:number>/", invoices.invoice, name="portal_invoice"),
    path("invoices/<str:number>/pdf/", invoices.pdf, name="portal_invoice_pdf"),
    path("invoices/<str:number>/lines.csv", invoices.lines, name="portal_invoice_lines"),
    path("invoices/<str:number>/pay/", invoices.pay, name="portal_invoice_pay"),
    path("statement/", statement.page, name="portal_statement"),
    path("statement.csv", statement.export, name="portal_statement_export"),
    path("members/", access.members, name="portal_members"),
    path("members/invite/", access.invite, name="portal_invite"),
    path("members/<int:membership>/role/", access.change_role, name="portal_member_role"),
    path("members/<int:membership>/remove/", access.remove, name="portal_member_remove"),
    path("keys/", access.keys, name="portal_keys"),
    path("keys/create/", access.create_key, name="portal_key_create"),
    path("keys/<str:prefix>/revoke/", access.revoke_key, name="portal_key_revoke"),
]

handler400 = "vault.views.errors.bad_request"
handler404 = "vault.views.errors.not_found"
handler500 = "vault.views.errors.broken"
urlpatterns = [
    path("", home.home, name="home"),
    path("audit/", audit.audit, name="audit"),
    path("invoices/<str:key>/", invoice.invoice, name="invoice"),
    path("usage/unbilled/", unbilled.unbilled_usage, name="unbilled"),
    path("usage/unbilled/accept/", unbilled.accept, name="unbilled_accept"),
    path("usage/unbilled/own/", unbilled.own, name="unbilled_own"),
    path("usage/unbilled/waivers/<int:key>/withdraw/", unbilled.withdraw, name="unbilled_withdraw"),
    path("portal/", include(portal)),
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
    path("accounts/<str:code>/current/", account_current.current, name="account_current"),
    path("accounts/<str:code>/current/export.csv", account_current.export, name="account_current_export"),
    path("accounts/<str:code>/credits/", account_credits.credits, name="account_credits"),
    path("accounts/<str:code>/credits/give/", account_credits.grant, name="account_credit_grant"),
    path("accounts/<str:code>/contracts/", account_contracts.contracts, name="account_contracts"),
    path("accounts/<str:code>/contracts/new/", account_contracts.new, name="account_contract_new"),
    path("accounts/<str:code>/contracts/<int:key>/end/", account_contracts.end, name="account_contract_end"),
    path("accounts/<str:code>/<str:part>/", account.part, name="account_part"),
]
