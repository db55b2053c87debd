"""What forms on pages share: an expected mistake of a verb is shown at the field that it is about."""

from django import forms

from core.errors import Invalid, VaultError


def blame(form: forms.BaseForm, error: VaultError) -> None:
    """Show ``error`` on a bound form: at its field when the form has it, else above the form."""
    field = error.field if isinstance(error, Invalid) and error.field in form.fields else None
    form.add_error(field, str(error))
