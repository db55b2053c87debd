"""/admin/: reference data, and nothing that moves money. Its sign-in is everybody's."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.models import User
from billing.models import Price, Product, Seller, TaxRate
from core.audit import acting


class ReferenceSite(admin.AdminSite):
    """Only what is registered here exists: no queue, no sessions, no groups."""

    site_header = site_title = "Vault reference data"
    index_title = "Reference data"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Superusers who work here; everything else has a page of its own."""
        return bool(request.user.is_active and request.user.is_staff and request.user.is_superuser)

    def login(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> HttpResponse:
        """There is one way in, throttled and audited; whoever is in already may not enter here."""
        if request.user.is_authenticated:
            raise PermissionDenied("Reference data is edited by operators with that right. Ask one of them.")
        return redirect_to_login(reverse("admin:index"))


class Signed(admin.ModelAdmin):  # type: ignore[type-arg]  # it takes none at run time
    """Every change is signed by whoever makes it; nothing is ever deleted here."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with acting(request.user.actor, "reference data"):  # type: ignore[union-attr]
            super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(Signed):
    """To be looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ProductAdmin(Signed):
    list_display = ("code", "name", "group", "partner")
    list_filter = ("group", "partner")
    search_fields = ("code", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()


class PriceAdmin(ReadOnly):
    """A new version is scheduled under Prices, where it is checked against rating."""

    list_display = ("product", "currency", "model", "unit", "valid_from", "valid_to")
    list_filter = ("currency", "model")
    search_fields = ("product__code", "product__name")
    list_select_related = ("product",)


class TaxRateAdmin(Signed):
    list_display = ("name", "country", "region", "rate", "valid_from", "valid_to")
    list_filter = ("country",)


class SellerAdmin(Signed):
    list_display = ("code", "name", "country", "is_default")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("code",) if obj else ()


class UserAdmin(Signed):
    """Roles and the right to sign in; a password is set by its owner, through a link."""

    list_display = ("email", "name", "role", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("email", "name")
    fields = ("email", "name", "role", "is_active", "is_staff", "is_superuser", "last_login", "created_at")
    readonly_fields = ("email", "last_login", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


site: Final = ReferenceSite(name="admin")
site.register(Product, ProductAdmin)
site.register(Price, PriceAdmin)
site.register(TaxRate, TaxRateAdmin)
site.register(Seller, SellerAdmin)
site.register(User, UserAdmin)
