"""Passwords: change one's own, or set one through a link that works once."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from accounts import enrolling
from accounts.models import User
from core import clock
from core.audit import acting


class PasswordChange(views.PasswordChangeView):
    """One's own password; every other session of this person ends with it."""

    template_name = "registration/password_change.html"
    http_method_names = ["get", "head", "post"]
    success_url = reverse_lazy("home")

    def form_valid(self, form: auth_forms.PasswordChangeForm) -> HttpResponse:
        with acting(self.request.user.actor, "changed their password"):  # type: ignore[union-attr]
            response = super().form_valid(form)
        messages.success(self.request, "Your password is changed. Everywhere else you are signed out.")
        return response


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class SetPassword(views.PasswordResetConfirmView):
    """The page behind a link from an invitation or a forgotten password; it works once."""

    template_name = "registration/set_password.html"
    success_url = reverse_lazy("sign_in")
    post_reset_login = False

    user: User  # the link's; without one this page has no form

    def form_valid(self, form: "auth_forms.SetPasswordForm[User]") -> HttpResponse:
        with acting(self.user.actor, "set their password by a link"):
            response = super().form_valid(form)
        messages.success(self.request, "Your password is set. Sign in with it.")
        return response


class ForgottenForm(forms.Form):
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "username"}))


@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link; the answer is the same whether or not somebody has that address."""
    form = ForgottenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        enrolling.send_password_link(form.cleaned_data["email"], at=clock.now(), base_url=settings.BASE_URL)
        messages.success(
            request,
            "If somebody signs in with that address, a link is on its way there."
            " It may take a few minutes; a second one is sent after ten.",
        )
        return redirect("sign_in")
    return render(request, "registration/forgotten.html", {"form": form})
