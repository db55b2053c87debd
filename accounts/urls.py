"""The app's addresses: pages, then the API."""

from django.urls import URLPattern, URLResolver, path

from accounts.api import accounts as api
from accounts.api import webhooks as webhooks_api
from accounts.views import editing, keys, members, passwords, sign_in, webhooks

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", sign_in.SignIn.as_view(), name="sign_in"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign_out"),
    path("password/", passwords.PasswordChange.as_view(), name="password_change"),
    path("password/forgotten/", passwords.forgotten, name="password_forgotten"),
    path("set-password/<uidb64>/<token>/", passwords.SetPassword.as_view(), name="set_password"),
    path("accounts/new/", editing.new, name="account_new"),
    path("accounts/<str:code>/edit/", editing.edit, name="account_edit"),
    path("accounts/<str:code>/close/", editing.close, name="account_close"),
    path("accounts/<str:code>/reopen/", editing.reopen, name="account_reopen"),
    path("accounts/<str:code>/members/", members.members, name="account_members"),
    path("accounts/<str:code>/members/invite/", members.invite, name="account_invite"),
    path("accounts/<str:code>/members/<int:membership>/role/", members.change_role, name="account_member_role"),
    path("accounts/<str:code>/members/<int:membership>/remove/", members.remove, name="account_member_remove"),
    path("accounts/<str:code>/keys/", keys.keys, name="account_keys"),
    path("accounts/<str:code>/keys/create/", keys.create, name="account_key_create"),
    path("accounts/<str:code>/keys/<str:prefix>/revoke/", keys.revoke, name="account_key_revoke"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/new/", webhooks.new, name="webhook_new"),
    path("webhooks/<int:key>/", webhooks.webhook, name="webhook"),
    path("webhooks/<int:key>/<str:step>/", webhooks.change, name="webhook_change"),
    path("api/v1/webhooks", webhooks_api.WebhookList.as_view(), name="api_webhooks"),
    path("api/v1/webhooks/<int:key>", webhooks_api.WebhookDetail.as_view(), name="api_webhook"),
    path("api/v1/webhooks/<int:key>/test", webhooks_api.WebhookTest.as_view(), name="api_webhook_test"),
    path(
        "api/v1/webhooks/<int:key>/deliveries", webhooks_api.WebhookDeliveries.as_view(), name="api_webhook_deliveries"
    ),
    path(
        "api/v1/webhooks/<int:key>/deliveries/<int:delivery>/again",
        webhooks_api.DeliveryAgain.as_view(),
        name="api_webhook_again",
    ),
    path("api/v1/accounts", api.AccountList.as_view(), name="api_accounts"),
    path("api/v1/accounts/<str:code>", api.AccountDetail.as_view(), name="api_account"),
]
