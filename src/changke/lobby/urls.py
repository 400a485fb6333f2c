"""Addresses of sign-in, language and health. Of allauth only the pages that make sense here have an address."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.urls import path
from django.views.generic import RedirectView

from changke.lobby import health
from changke.lobby.language import set_language

urlpatterns = [
    path("", RedirectView.as_view(url="/console/"), name="home"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("console/account/language/", set_language, name="set_language"),
    path("console/account/login/", account.login, name="account_login"),
    path("console/account/logout/", account.logout, name="account_logout"),
    path("console/account/inactive/", account.account_inactive, name="account_inactive"),
    path("console/account/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("console/account/password/", account.password_change, name="account_change_password"),
    path("console/account/second-factor/", RedirectView.as_view(pattern_name="account"), name="mfa_index"),
    path("console/account/second-factor/code/", mfa.authenticate, name="mfa_authenticate"),
    path("console/account/second-factor/confirm/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("console/account/second-factor/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("console/account/second-factor/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("console/account/recovery-codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("console/account/recovery-codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
]
