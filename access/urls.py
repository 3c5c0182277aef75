"""The addresses for signing in and out, and of a person's own page."""

from django.urls import path

from access.pages import me, revoke
from access.sign_in import SignIn, SignOut

urlpatterns = [
    path("sign-in", SignIn.as_view(), name="sign-in"),
    path("sign-out", SignOut.as_view(), name="sign-out"),
    path("me", me, {"twin": False}, name="me"),
    path("me.json", me, {"twin": True}, name="me-json"),
    path("me/tokens/<int:pk>/revoke", revoke, name="revoke-own-token"),
]
