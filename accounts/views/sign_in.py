"""The one way in for people, staff and customers alike, and the way out."""

from typing import Any

from django import forms
from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from core.audit import acting


class SignInForm(AuthenticationForm):
    """E-mail and password. What is said of a wrong pair is the same whether or not somebody has that address."""

    username = forms.EmailField(
        label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        label="Password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    error_messages = {
        "invalid_login": "This e-mail address and password do not go together. Check both and try again.",
        "inactive": "This e-mail address and password do not go together. Check both and try again.",
    }

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).lower()

    def clean(self) -> dict[str, Any]:
        # A password that is kept in an outdated way is kept anew when its owner signs in, which is a change. A wrong
        # one is raised outside of the transaction, which holds the count of failed attempts.
        with acting("system:sign-in"):
            try:
                return super().clean()
            except forms.ValidationError as error:
                wrong = error
        raise wrong


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class SignIn(views.LoginView):
    template_name = "registration/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(views.LogoutView):
    """By POST only, so that no link on another page signs anybody out."""

    http_method_names = ["post"]
