"""The cast: perimeter `alpha` with ada (admin), eve (editor) and vic (viewer); `beta` with olga, the outsider."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import Membership, Perimeter, Role, Token

Issue = Callable[..., str]


@dataclass
class Cast:
    alpha: Perimeter
    beta: Perimeter
    ada: User
    eve: User
    vic: User
    olga: User


@pytest.fixture(autouse=True)
def _small_site(settings):
    settings.ROOT_URLCONF = "tests.access.site"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick


@pytest.fixture
def team(settings):
    """The site in team mode, without TLS so that the test client reaches it."""
    settings.MODE, settings.LOCAL_MODE = "team", False


@pytest.fixture
def local(settings):
    settings.MODE, settings.LOCAL_MODE = "local", True


@pytest.fixture
def cast(db) -> Cast:
    alpha, beta = (Perimeter.objects.create(name=name) for name in ("alpha", "beta"))
    people = {
        name: User.objects.create_user(name, password="a good password") for name in ("ada", "eve", "vic", "olga")
    }
    for name, perimeter, role in (
        ("ada", alpha, Role.ADMIN),
        ("eve", alpha, Role.EDITOR),
        ("vic", alpha, Role.VIEWER),
        ("olga", beta, Role.ADMIN),
    ):
        Membership.objects.create(user=people[name], perimeter=perimeter, role=role)
    return Cast(alpha, beta, **people)


@pytest.fixture
def issue(cast) -> Issue:
    """Issues a token in alpha and answers its secret."""

    def issue(user: User, role: Role = Role.EDITOR, **fields) -> str:
        return Token.objects.issue(user=user, perimeter=fields.pop("perimeter", cast.alpha), role=role, **fields)[1]

    return issue


@pytest.fixture
def strict_client() -> Client:
    """A client that checks CSRF as the real site does."""
    return Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
