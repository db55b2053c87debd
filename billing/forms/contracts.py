"""What people enter about a contract, read into the terms that the verb takes."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms

from billing.contracting import OwnPrice
from billing.models import Price, Product, ProductGroup
from core.exact import plain
from core.periods import InvalidMonth, Month

NAME: Final = 80
AT_MOST: Final = 50
MONTH: Final = forms.TextInput(attrs={"type": "month", "placeholder": "2027-01"})


class MonthField(forms.CharField):
    """A calendar month, ``YYYY-MM``."""

    widget = MONTH

    def clean(self, value: Any) -> Month | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return Month.parse(text)
        except InvalidMonth as error:
            raise forms.ValidationError("Write a month as YYYY-MM, for example 2027-01.") from error


def _money(label: str, help_text: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=0, max_digits=19, decimal_places=4, required=False, localize=False, help_text=help_text
    )


def _percent(label: str, help_text: str = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=0, max_value=100, max_digits=9, decimal_places=6, required=False, help_text=help_text
    )


class ContractForm(forms.Form):
    """The contract as a whole: its months and what must and may be spent in each of them."""

    name = forms.CharField(max_length=200, label="Name", help_text="As people here speak of it.")
    valid_from = MonthField(label="First month", help_text="Not one that a run has rated already.")
    valid_to = MonthField(label="First month without it", required=False, help_text="Empty: until it is ended.")
    minimum_spend = _money("Minimum spend a month", "What is missing is charged as a line of its own.")
    maximum_spend = _money("Maximum spend a month", "What is beyond it is not charged.")
    commitment = _money("Commitment a month", "Made up to like a minimum; what is beyond it may cost less.")
    overage_percent = _percent("Percent off beyond the commitment")
    reason = forms.CharField(max_length=500, label="Reason", help_text="Kept in the history for ever.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("overage_percent") and not cleaned.get("commitment"):
            self.add_error("overage_percent", "Say the commitment that it is beyond.")
        return cleaned


class EndForm(forms.Form):
    """When a contract ends, and why."""

    valid_to = MonthField(label="First month without it")
    reason = forms.CharField(max_length=500, label="Reason", help_text="Kept in the history for ever.")


class _Part(forms.Form):
    """One row of a list; a row without a name is no row."""

    def is_said(self) -> bool:
        return bool(self.cleaned_data.get("name") or self.cleaned_data.get("product"))


class DiscountForm(_Part):
    name = forms.CharField(max_length=NAME, required=False, label="Name", help_text="As printed.")
    percent = _percent("Percent off")
    amount = _money("or amount off")
    groups = forms.MultipleChoiceField(
        choices=ProductGroup.choices, required=False, label="Only for", widget=forms.CheckboxSelectMultiple
    )
    until = MonthField(required=False, label="Last month")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        given = [cleaned.get("percent"), cleaned.get("amount")]
        if cleaned.get("name") and sum(value is not None for value in given) != 1:
            self.add_error("percent", "Say either a percentage or an amount.")
        return cleaned

    def term(self) -> dict[str, Any]:
        said, term = self.cleaned_data, {"name": self.cleaned_data["name"]}
        if said["percent"] is not None:
            term["rate"] = plain(said["percent"] / 100)
        else:
            term["amount"] = plain(said["amount"])
        scope = {"groups": said["groups"]} if said["groups"] else {}
        return term | scope | ({"until": str(said["until"])} if said["until"] else {})


class AllowanceForm(_Part):
    name = forms.CharField(max_length=NAME, required=False, label="Name", help_text="As printed.")
    products = forms.ModelMultipleChoiceField(
        Product.objects.none(),
        to_field_name="code",
        required=False,
        label="Of",
        widget=forms.SelectMultiple(attrs={"size": 5}),
    )
    quantity = forms.DecimalField(
        min_value=0, max_digits=30, decimal_places=12, required=False, label="Free a month",
        help_text="In hours for products priced by time, else in their unit.",
    )  # fmt: skip
    per = forms.ChoiceField(choices=[("account", "all apps together"), ("app", "each app")], label="For")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["products"].queryset = Product.objects.order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("name"):
            if not cleaned.get("products"):
                self.add_error("products", "Choose what it covers.")
            if not cleaned.get("quantity"):
                self.add_error("quantity", "Say how much is free.")
        return cleaned

    def term(self) -> dict[str, Any]:
        said = self.cleaned_data
        products = [product.code for product in said["products"]]
        return {"name": said["name"], "products": products, "quantity": plain(said["quantity"]), "per": said["per"]}


class OwnPriceForm(_Part):
    """An amount of the account's own in the way that the product is priced on the list."""

    product = forms.ModelChoiceField(
        Product.objects.none(), to_field_name="code", required=False, label="Product", empty_label="—"
    )
    unit_amount = forms.DecimalField(
        min_value=0, max_digits=24, decimal_places=12, required=False, label="Amount",
        help_text="Per month, hour, fee or unit, as on the list.",
    )  # fmt: skip

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.fields["product"].queryset = Product.objects.order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("product"):
            if cleaned.get("unit_amount") is None:
                self.add_error("unit_amount", "Say the amount.")
            if self._listed() is None:
                self.add_error("product", f"It has no single amount in {self.currency}; use the API for it.")
        return cleaned

    def _listed(self) -> Price | None:
        versions = Price.objects.listed().filter(product=self.cleaned_data["product"], currency=self.currency)
        newest = versions.order_by("-valid_from").first()
        return newest if newest and "unit_amount" in newest.terms else None

    def price(self) -> OwnPrice:
        listed = self._listed()
        assert listed is not None  # noqa: S101  clean has seen to it
        amount = plain(Decimal(self.cleaned_data["unit_amount"]))
        return OwnPrice(listed.product.code, listed.terms | {"unit_amount": amount}, listed.unit)


Discounts = forms.formset_factory(DiscountForm, extra=2, max_num=AT_MOST, absolute_max=AT_MOST)
Allowances = forms.formset_factory(AllowanceForm, extra=2, max_num=AT_MOST, absolute_max=AT_MOST)
OwnPrices = forms.formset_factory(OwnPriceForm, extra=3, max_num=AT_MOST, absolute_max=AT_MOST)


class Proposal:
    """The four forms of a contract as one: valid together, read together."""

    def __init__(self, data: Mapping[str, Any] | None, currency: str) -> None:
        self.contract = ContractForm(data)
        self.discounts = Discounts(data, prefix="discounts")
        self.allowances = Allowances(data, prefix="allowances")
        self.prices = OwnPrices(data, prefix="prices", form_kwargs={"currency": currency})

    def is_valid(self) -> bool:
        return all([form.is_valid() for form in (self.contract, self.discounts, self.allowances, self.prices)])

    def said(self) -> dict[str, Any]:
        """Return the contract's name, months and reason."""
        return {name: self.contract.cleaned_data[name] for name in ("name", "valid_from", "valid_to", "reason")}

    def terms(self) -> dict[str, Any]:
        """Return the terms as ``billing.contracts.terms`` reads them; what was left empty is left out."""
        said = self.contract.cleaned_data
        terms: dict[str, Any] = {
            "discounts": [form.term() for form in self.discounts if form.is_said()],
            "allowances": [form.term() for form in self.allowances if form.is_said()],
        }
        for name in ("minimum_spend", "maximum_spend"):
            if said[name]:
                terms[name] = plain(said[name])
        if said["commitment"]:
            terms["commitment"] = {"amount": plain(said["commitment"])}
            if said["overage_percent"]:
                terms["commitment"]["overage_rate"] = plain(said["overage_percent"] / 100)
        return terms

    def own_prices(self) -> list[OwnPrice]:
        return [form.price() for form in self.prices if form.is_said()]
