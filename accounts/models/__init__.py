"""Accounts, the people who act for them or for us, and their keys."""

from accounts.models.account import Account, AccountKind, AccountQuerySet, Delivery
from accounts.models.api_key import ACCOUNT_SCOPES, ApiKey
from accounts.models.user import Membership, MembershipRole, Role, User
from accounts.models.webhook import WebhookDelivery, WebhookEndpoint, WebhookMessage, WebhookSecret, WebhookTry

__all__ = [
    "ACCOUNT_SCOPES",
    "Account",
    "AccountKind",
    "AccountQuerySet",
    "ApiKey",
    "Delivery",
    "Membership",
    "MembershipRole",
    "Role",
    "User",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookMessage",
    "WebhookSecret",
    "WebhookTry",
]
