"""The people who sign in: staff with one role each, and customers through memberships."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower


class Role(models.TextChoices):
    """What a member of staff does; a customer has none and acts through memberships."""

    CUSTOMER = "", "Customer"
    FINANCE = "finance", "Finance"
    SUPPORT = "support", "Support"
    COLLECTIONS = "collections", "Collections"
    OPERATOR = "operator", "Operator"
    AUDITOR = "auditor", "Auditor"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        powers = {"role": Role.OPERATOR, "is_staff": True, "is_superuser": True}
        return self.create_user(email, password, **(powers | fields))


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who signs in with an e-mail address. ``is_staff`` opens /admin/ (reference data) only."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True, default="")
    role = models.CharField(max_length=12, choices=Role.choices, blank=True, default=Role.CUSTOMER)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()

    class Meta:
        ordering = ["email"]
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_per_email")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def actor(self) -> str:
        """How the audit trail names this person."""
        return f"user:{self.email}"


class MembershipRole(models.TextChoices):
    OWNER = "owner"  # sees everything, pays, changes billing details
    VIEWER = "viewer"  # sees usage and invoices


class Membership(models.Model):
    """A customer's part in one account."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=6, choices=MembershipRole.choices, default=MembershipRole.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="one_membership_per_person")]

    def __str__(self) -> str:
        return f"{self.user} · {self.account}"
