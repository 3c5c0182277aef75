"""Who may do what: the rules of `Viewer`, without HTTP."""

import pytest
from django.contrib.auth.models import User

from access.authentication import viewer_of_secret
from access.errors import Unauthorized
from access.identity import NOBODY, NotAllowed, NotVisible, Viewer
from access.models import Membership, Perimeter, Role

pytestmark = pytest.mark.django_db


def visible_to(viewer: Viewer) -> list[str]:
    return [perimeter.name for perimeter in Perimeter.objects.visible_to(viewer)]


def test_nobody_sees_nothing(cast):
    assert visible_to(NOBODY) == []
    assert not NOBODY.can_see(cast.alpha)
    with pytest.raises(Unauthorized):
        NOBODY.require("alpha", Role.VIEWER)


def test_a_member_sees_their_own_perimeters_only(cast):
    assert visible_to(Viewer(cast.vic)) == ["alpha"]
    assert visible_to(Viewer(cast.olga)) == ["beta"]
    assert visible_to(Viewer(User.objects.create(username="new"))) == []


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        ("vic", [Role.VIEWER]),
        ("eve", [Role.VIEWER, Role.EDITOR]),
        ("ada", [Role.VIEWER, Role.EDITOR, Role.ADMIN]),
        ("olga", []),
    ],
)
def test_a_role_allows_what_the_ones_below_it_do(cast, who, allowed):
    viewer = Viewer(getattr(cast, who))
    assert [role for role in Role if viewer.may("alpha", role)] == allowed
    assert [role for role in Role if viewer.may(cast.alpha, role)] == allowed


def test_not_visible_and_unknown_are_told_in_the_same_words(cast):
    viewer, answers = Viewer(cast.olga), []
    for name in ("alpha", "gamma"):
        with pytest.raises(NotVisible) as refused:
            viewer.require(name, Role.VIEWER)
        assert refused.value.detail == {"perimeter": name}
        answers.append(str(refused.value).replace(name, "…"))
    assert answers[0] == answers[1]


def test_a_missing_role_is_named(cast):
    with pytest.raises(NotAllowed, match="needs the role editor in the perimeter alpha; you have viewer") as refused:
        Viewer(cast.vic).require("alpha", Role.EDITOR)
    assert refused.value.detail == {"perimeter": "alpha", "role": "viewer", "needed": "editor"}


def test_a_superuser_is_admin_everywhere_and_an_inactive_one_nowhere(cast):
    root = User.objects.create(username="root", is_superuser=True)
    assert visible_to(Viewer(root)) == ["alpha", "beta"]
    assert Viewer(root).role_in("beta") == Role.ADMIN
    assert Viewer(root).role_in("gamma") is None
    root.is_active = False
    assert visible_to(Viewer(root)) == []


def test_staff_see_no_more_than_their_memberships_and_the_local_user_sees_all(cast):
    cast.vic.is_staff = True
    assert visible_to(Viewer(cast.vic)) == ["alpha"]
    assert visible_to(Viewer(cast.vic, local=True)) == ["alpha", "beta"]


def test_an_inactive_member_sees_nothing(cast):
    cast.ada.is_active = False
    assert not Viewer(cast.ada).signed_in
    assert visible_to(Viewer(cast.ada)) == []


@pytest.mark.parametrize(
    ("member", "token_role", "effective"),
    [
        ("vic", Role.ADMIN, Role.VIEWER),
        ("eve", Role.VIEWER, Role.VIEWER),
        ("eve", Role.EDITOR, Role.EDITOR),
        ("ada", Role.EDITOR, Role.EDITOR),
    ],
)
def test_a_token_is_worth_the_lesser_of_its_role_and_its_users(cast, issue, member, token_role, effective):
    viewer = viewer_of_secret(issue(getattr(cast, member), token_role))
    assert viewer.role_in("alpha") == effective


def test_a_token_reaches_its_own_perimeter_only(cast, issue):
    Membership.objects.create(user=cast.ada, perimeter=cast.beta, role=Role.ADMIN)
    viewer = viewer_of_secret(issue(cast.ada))
    assert visible_to(viewer) == ["alpha"]
    with pytest.raises(NotVisible):
        viewer.require("beta", Role.VIEWER)


def test_a_superusers_token_has_no_power_beyond_the_membership(cast, issue):
    root = User.objects.create(username="root", is_superuser=True)
    assert visible_to(viewer_of_secret(issue(root, Role.ADMIN))) == []


def test_a_token_of_a_removed_member_sees_nothing(cast, issue):
    secret = issue(cast.eve)
    Membership.objects.filter(user=cast.eve).delete()
    assert visible_to(viewer_of_secret(secret)) == []


def test_one_query_finds_a_token_and_all_that_it_may_do(cast, issue, django_assert_num_queries):
    secret = issue(cast.eve)
    viewer_of_secret(secret)  # notes the use
    with django_assert_num_queries(1):  # the token with its user, perimeter and the user's role
        viewer = viewer_of_secret(secret)
        assert viewer.require("alpha", Role.EDITOR, ["main"]) == cast.alpha
        assert viewer.perimeter_ids() == {cast.alpha.pk}
        assert viewer.actor.startswith("eve via token as_")


def test_one_query_reads_a_persons_grants_once(cast, django_assert_num_queries):
    viewer = Viewer(cast.eve)
    with django_assert_num_queries(1):  # the memberships
        viewer.require("alpha", Role.EDITOR)
        assert viewer.perimeter_ids() == {cast.alpha.pk}
        assert not viewer.can_see("beta")


@pytest.mark.parametrize(
    ("patterns", "names", "allowed"),
    [
        ([], ["main"], True),
        (["feature/*"], ["main"], False),
        (["feature/*"], ["feature/x", "featurex"], True),
        (["feature/*"], ["feature/x/y"], True),
        (["feature/*"], ["FEATURE/x"], False),
        (["feature/*"], ["my-feature/x"], False),
        (["feature/*", "user.*"], ["user.ada"], True),
        (["featurex"], ["feature/x", "featurex"], True),
        (["*"], ["main"], True),
    ],
)
def test_branch_patterns_limit_what_a_token_writes(cast, issue, patterns, names, allowed):
    viewer = viewer_of_secret(issue(cast.eve, branch_patterns=patterns))
    assert viewer.may("alpha", Role.EDITOR, names) is allowed
    assert viewer.may("alpha", Role.VIEWER)


def test_a_refused_branch_is_named_with_the_patterns(cast, issue):
    viewer = viewer_of_secret(issue(cast.eve, branch_patterns=["feature/*", "user.*"]))
    with pytest.raises(NotAllowed, match=r"matching feature/\*, user\.\* only, not to main") as refused:
        viewer.require("alpha", Role.EDITOR, ["main"])
    assert refused.value.detail == {"branch": "main", "branches": ["feature/*", "user.*"]}
