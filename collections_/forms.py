"""What agents type about cases and payments. The verbs hold the rules; forms only ask."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts import permissions
from accounts.models import Account, User
from billing.models import Invoice
from collections_ import paying
from collections_.models import AttemptOutcome

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class NoteForm(forms.Form):
    text = forms.CharField(label="Note", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class PromiseForm(forms.Form):
    amount = forms.DecimalField(label="Amount promised", max_digits=24, decimal_places=4)
    due_on = forms.DateField(label="Promised for", widget=DAY, help_text="The ladder waits through this day.")


class HoldForm(forms.Form):
    reason = forms.CharField(max_length=500, help_text="Others decide by it whether the hold still makes sense.")
    until = forms.DateField(label="Hold through", widget=DAY)


class AssignForm(forms.Form):
    assignee = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Nobody")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = workers()  # type: ignore[attr-defined]  # a choice of models


class PayerForm(forms.Form):
    code = forms.CharField(label="Account", max_length=200, help_text="Its code, as the platform names it.")


class PaymentForm(forms.Form):
    """A payment that reached the bank; ``account`` decides currency and which invoices can come first."""

    amount = forms.DecimalField(max_digits=24, decimal_places=4)
    method = forms.ChoiceField(choices=list(paying.METHODS.items()))
    reference = forms.CharField(max_length=200, help_text="The bank's own; the same one is never recorded twice.")
    received_on = forms.DateField(label="Received on", widget=DAY)
    first = forms.ModelChoiceField(
        Invoice.objects.none(),
        label="Settle first",
        required=False,
        empty_label="The oldest debt",
        help_text="What is left goes to the oldest debts.",
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owed = Invoice.objects.filter(
            status__in=paying.OWED, account=account, currency=account.currency, outstanding__gt=0
        )
        self.fields["first"].queryset = owed.order_by("due_on", "pk")  # type: ignore[attr-defined]


class RefundForm(forms.Form):
    amount = forms.DecimalField(max_digits=24, decimal_places=4)
    reason = forms.CharField(max_length=500, help_text="Finance reads it, and it stays in the history.")


class ChargebackForm(forms.Form):
    amount = forms.DecimalField(max_digits=24, decimal_places=4, help_text="What the bank took back.")
    reference = forms.CharField(max_length=200, help_text="The bank's own; the same one is never recorded twice.")
    reason = forms.CharField(max_length=500, help_text="As the bank gives it.")
    taken_on = forms.DateField(label="Taken back on", widget=DAY)


class VoidForm(forms.Form):
    reason = forms.CharField(
        max_length=500, help_text="Stays in the history.", widget=forms.Textarea(attrs={"rows": 2})
    )


class ResolveForm(forms.Form):
    charge_id = forms.CharField(
        label="The gateway's charge", max_length=100, required=False, help_text="Leave blank when nothing was charged."
    )
    captured = forms.DecimalField(
        label="Captured there",
        max_digits=24,
        decimal_places=4,
        required=False,
        help_text="Only when the gateway does not answer us; otherwise its own books count.",
    )
    note = forms.CharField(label="Where you saw this", max_length=400)


class WorklistFilter(forms.Form):
    q = forms.CharField(
        label="Search", required=False, widget=forms.TextInput(attrs={"placeholder": "Account, name or e-mail"})
    )
    assignee = forms.ChoiceField(required=False)
    pause = forms.ChoiceField(
        label="Paused",
        required=False,
        choices=[("", "Any"), ("no", "Not paused"), ("hold", "On hold"), ("promise", "Payment promised")],
    )
    currency = forms.CharField(required=False, max_length=3)
    state = forms.ChoiceField(choices=[("open", "Open"), ("closed", "Closed"), ("all", "All")], required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = [(str(user.pk), str(user)) for user in workers()]
        choices = [("", "Anybody"), ("me", "Me"), ("nobody", "Nobody"), *people]
        self.fields["assignee"].choices = choices  # type: ignore[attr-defined]


class PaymentFilter(forms.Form):
    q = forms.CharField(
        label="Search", required=False, widget=forms.TextInput(attrs={"placeholder": "Account or reference"})
    )
    method = forms.ChoiceField(required=False, choices=[("", "Any"), ("card", "Card"), *paying.METHODS.items()])
    applied = forms.ChoiceField(
        required=False, choices=[("", "Any"), ("yes", "Wholly applied"), ("no", "Something left")]
    )
    since = forms.DateField(required=False, widget=DAY)
    until = forms.DateField(required=False, widget=DAY)


class ChargeFilter(forms.Form):
    q = forms.CharField(
        label="Search", required=False, widget=forms.TextInput(attrs={"placeholder": "Account or invoice"})
    )
    outcome = forms.ChoiceField(required=False, choices=[("", "Any"), *AttemptOutcome.choices])
    since = forms.DateField(required=False, widget=DAY)
    until = forms.DateField(required=False, widget=DAY)


def workers() -> QuerySet[User]:
    """The people who may work cases."""
    roles = [role for role, capabilities in permissions.CAPABILITIES.items() if "collections.work" in capabilities]
    return User.objects.filter(role__in=roles, is_active=True).order_by("name", "email")
