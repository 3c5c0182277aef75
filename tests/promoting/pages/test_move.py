"""Moving an alias in the page: the answer before, the move, and what becomes of it if somebody was faster."""

import pytest
from django.test import Client

from access.models import Role, Token
from catalog import recording
from catalog.entities import Entity
from catalog.limits import COMMENT_LENGTH
from catalog.models import AliasMove, GateVerdict
from tests.catalog.pages.conftest import text_of
from tests.promoting.made import MODEL, admin, declare, hidden

MOVE = f"{MODEL}/aliases/production/move"
STRICT = {"production": {"require": ["accuracy >= @production - 0.005", "accuracy >= 0.5"], "warn": ["rows >= 9000"]}}
HOSTILE = "<script>alert(1)</script>\u202e & \u05de\u05d5\u05d3\u05dc"


@pytest.fixture
def ada(full):
    return full.client("ada")


def look(client, to="v2", alias="production"):
    answer = client.get(f"{MODEL}/aliases/{alias}/move?to={to}")
    assert answer.status_code == 200, answer.content
    return text_of(answer)


def holds(world, alias="production"):
    asset = world.asset("models/churn_model")
    return asset.instances.get(uid=asset.alias_index[alias]).ref


def send(client, world, to=2, alias="production", **said):
    return client.post(f"{MODEL}/aliases/{alias}/move?to=v{to}", hidden(world, to, alias=alias) | said)


# the answer before


def test_without_rules_the_page_says_that_editors_may_move_it(full, ada):
    page = look(ada, "v2", "staging")
    assert "@staging</bdi> can be set on v2" in page
    assert "Anyone who may edit can move @staging" in page
    assert "[gates.staging]" in page
    assert "Set it on v2" in page


def test_what_refuses_comes_first_and_the_button_is_off_with_the_reason(full, ada):
    declare(full, STRICT)
    page = look(ada)
    assert "@production</bdi> can&#39;t move to v2: 1 of 3 rules refuses" in page
    assert page.index("accuracy &gt;= @production - 0.005") < page.index("rows &gt;= 9000") < page.index("0.5</bdi>")
    assert "0.005 short" in page
    assert 'disabled aria-describedby="why-off"' in page
    assert "Off, since the rule “<bdi>accuracy &gt;= @production - 0.005</bdi>” refuses." in page
    assert "asset_config.toml</bdi></code> of <bdi>main</bdi>, deployed" in page
    assert "6a20eaa" in page
    assert not GateVerdict.objects.exists()  # a look writes nothing


def test_what_it_would_replace_is_compared(full, ada):
    page = look(ada)
    replaced = page[page.index('id="replaced"') :]
    assert "v2 is worse" in replaced
    assert "0.93" in replaced
    assert "0.92" in replaced
    assert "/compare?of=v3,v2&amp;base=v3" in replaced


def test_who_reads_it_is_told(full, ada):
    full.consume("models/churn_model", "dashboard", kind="deployment")
    asset = full.asset("models/churn_model")
    how = {"entity": Entity("task", "GateFlow/1/judge/1"), "write_branch": "main", "reference": "@production"}
    recording.consume(actor="ada", asset=asset, instance=asset.newest_ready, **how)
    readers = look(ada).partition('id="readers"')[2]
    assert "GateFlow" in readers
    assert "dashboard" not in readers
    assert "Nobody has asked for it by this name" in look(ada, alias="staging")


def test_rules_that_pass_are_folded_where_there_are_many(full, ada):
    rules = [f"accuracy >= 0.{number:02}" for number in range(1, 23)]
    declare(full, {"production": {"require": ["accuracy >= 0.99", *rules]}})
    page = look(ada)
    assert "1 of 23 rules refuses" in page
    assert "<summary>22 more: 22 pass</summary>" in page


def test_it_is_said_if_it_is_there_already_or_not_ready_or_not_there(full, ada):
    assert "@production</bdi> is on v3 already" in look(ada, "v3")
    full.register("models/churn_model", "TrainFlow/4/train/1", state="pending")
    page = look(ada, "v4")
    assert "can&#39;t move to v4: it is pending" in page
    assert "an alias takes a ready version only" in page
    assert ada.get(f"{MOVE}?to=v99").status_code == 404
    assert ada.get(f"{MODEL}/aliases/a%2Cb/move?to=v1").status_code == 400
    answer = send(ada, full, 4)
    assert answer.status_code == 422
    assert "v4 is pending; an alias takes a ready instance only." in text_of(answer)


def test_the_definition_can_be_meant(full, ada):
    full.deploy(models__churn_model=recording.Declaration({}))
    uid = full.asset("models/churn_model").definition_uid
    assert "can move to the definition" in look(ada, uid)
    answer = ada.post(MOVE, {"instance": uid, "expected": hidden(full, 1)["expected"], "comment": ""})
    assert answer.status_code == 302
    assert full.asset("models/churn_model").alias_index["production"] == uid


def test_no_alias_moves_to_what_is_deprecated_not_even_by_an_override(full):
    client, model = admin(full), full.asset("models/churn_model")
    uid = model.instances.get(number=2).uid
    who = Entity("user", "eve")
    recording.deprecate(actor="eve", asset=model, target_uid=uid, reason="It leaks", entity=who)
    page = look(client, "v2")
    assert "can&#39;t move to v2: its rule refuses" in page
    assert "it is deprecated: It leaks" in page
    assert "Override" not in page
    answer = send(client, full, 2, override="yes", reason="all the same", comment="mine")
    assert answer.status_code == 422
    assert holds(full) == "v3"


def test_approvals_that_are_lacking_wait(full, ada):
    declare(full, {"production": {"require": ["accuracy >= 0.5"], "approvals": 2}})
    full.register("models/churn_model", "TrainFlow/4/train/1", annotations={"accuracy": 0.95})
    page = look(ada, "v4")
    assert "can&#39;t move to v4 yet: it waits for 2 approvals" in page
    assert "approvals = 2" in page
    assert "waits" in page
    assert "Move it to" not in page


# moving


def test_it_is_moved_with_a_comment_that_the_history_keeps(full, ada):
    answer = send(ada, full, 2, comment=f"  {HOSTILE} ")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{MODEL}/aliases/production")
    assert holds(full) == "v2"
    move = AliasMove.objects.latest("pk")
    assert (move.actor, move.entity_kind, move.entity_id) == ("ada", "user", "ada")
    assert (move.verdict.comment, move.verdict.user) == (HOSTILE, full.people["ada"])
    page = text_of(ada.get(answer.headers["Location"]))
    assert "@production leads to v2." in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_what_was_typed_is_what_moves_although_latest_means_another_by_now(full, ada):
    form = hidden(full, 2)
    full.register("models/churn_model", "TrainFlow/4/train/1")
    assert ada.post(f"{MOVE}?to=latest", form).status_code == 302
    assert holds(full) == "v2"


def test_an_alias_is_set_for_the_first_time(full, ada):
    assert send(ada, full, 1, "staging").status_code == 302
    assert holds(full, "staging") == "v1"


def test_somebody_was_faster(full, ada):
    form = hidden(full, 2) | {"comment": HOSTILE}
    full.alias("production", full.asset("models/churn_model").instances.get(number=1))
    answer = ada.post(f"{MOVE}?to=v2", form)
    page = text_of(answer)
    assert answer.status_code == 409
    assert holds(full) == "v1"
    assert "Somebody moved it meanwhile.</strong> You saw v3; <bdi>ada</bdi> moved <bdi>@production</bdi> to v1" in page
    assert "/compare?of=v1,v2&amp;base=v1" in page
    assert "&lt;script&gt;alert(1)" in page.partition("<textarea")[2]
    assert ada.post(f"{MOVE}?to=v2", hidden(full, 2)).status_code == 302  # as the page shows it now


def test_it_was_deleted_meanwhile_or_made(full, ada):
    form = hidden(full, 2)
    recording.delete_alias(
        actor="ada", asset=full.asset("models/churn_model"), name="production", entity=Entity("user", "eve")
    )
    answer = ada.post(f"{MOVE}?to=v2", form)
    assert answer.status_code == 409
    assert "<bdi>eve</bdi> deleted <bdi>@production</bdi>" in text_of(answer)
    full.alias("production", full.asset("models/churn_model").newest_ready)
    answer = ada.post(f"{MOVE}?to=v2", form | {"expected": ""})
    assert answer.status_code == 409
    assert "You saw nothing" in text_of(answer)


def test_what_rules_refuse_at_that_moment_is_refused_and_kept(full, ada):
    declare(full, STRICT)
    for count in (1, 2):
        answer = send(ada, full, 2, comment=HOSTILE)
        page = text_of(answer)
        assert answer.status_code == 422
        assert "Refused: <bdi>@production</bdi> stays on v3." in page
        assert "&lt;script&gt;alert(1)" in page.partition("<textarea")[2]
        row = GateVerdict.objects.get()
        assert (row.outcome, row.count, row.comment, row.actor) == ("refused", count, HOSTILE, "ada")
    assert holds(full) == "v3"


def test_a_version_that_held_it_before_is_rolled_back_to(full, ada):
    full.alias("production", full.asset("models/churn_model").instances.get(number=1))
    full.alias("production", full.asset("models/churn_model").newest_ready)
    declare(full, {"production": {"require": ["accuracy >= @production", "accuracy >= 0.5"], "approvals": 1}})
    page = look(ada, "v1")
    assert "@production</bdi> can be rolled back to v1: 1 of 3 rules is asked of a roll-back, and passes" in page
    assert "exempt" in page
    assert send(ada, full, 1, comment="Scores halved").status_code == 302
    assert AliasMove.objects.latest("pk").verdict.outcome == "rollback"


@pytest.mark.parametrize(("length", "status"), [(COMMENT_LENGTH, 302), (COMMENT_LENGTH + 1, 422)])
def test_a_comment_may_be_long_but_not_endless(full, ada, length, status):
    answer = send(ada, full, 2, comment="x" * length)
    assert answer.status_code == status
    if status == 422:
        assert "It has 2,001 characters, and may have 2,000." in text_of(answer)
        assert f'maxlength="{COMMENT_LENGTH}"' in text_of(answer)
        assert holds(full) == "v3"


def test_a_comment_that_can_not_be_stored_is_refused(full, ada):
    assert send(ada, full, 2, comment="a\x00b").status_code == 422


def test_a_form_that_lacks_something_is_refused(full, ada):
    for lacking in ("instance", "expected"):
        form = {name: value for name, value in hidden(full, 2).items() if name != lacking}
        assert ada.post(f"{MOVE}?to=v2", form).status_code == 400
    assert holds(full) == "v3"


# who may


def test_a_viewer_sees_why_not_and_can_not_do_it(full, vic):
    page = look(vic)
    assert '<form method="post" action="/alpha' not in page
    assert "This needs the role editor in the perimeter alpha; you have viewer." in page
    assert send(vic, full).status_code == 403
    assert holds(full) == "v3"


def test_an_outsider_sees_nothing(full):
    olga = full.client("olga")
    assert olga.get(f"{MOVE}?to=v2").status_code == 404
    assert send(olga, full).status_code == 404
    assert Client().get(f"{MOVE}?to=v2").status_code == 302


def test_no_form_is_taken_that_another_site_sent(full):
    client = Client(enforce_csrf_checks=True)
    client.force_login(full.people["ada"])
    assert send(client, full).status_code == 403
    assert holds(full) == "v3"


@pytest.mark.parametrize(("pattern", "status"), [("feature/*", 403), ("main", 302)])
def test_a_token_moves_where_its_patterns_let_it(full, pattern, status):
    how = {"user": full.people["ada"], "perimeter": full.alpha, "role": Role.EDITOR}
    _, secret = Token.objects.issue(**how, branch_patterns=[pattern])
    client = Client(headers={"x-api-key": secret})
    assert send(client, full, override="yes", reason="now").status_code == 403  # what only people may
    assert send(client, full).status_code == status


# overriding


def test_an_admin_overrides_with_a_reason_that_stays(full):
    client = admin(full)
    declare(full, STRICT)
    page = look(client)
    assert "Override 1 rule and move" in page
    answer = send(client, full, override="yes", reason=" ")
    assert answer.status_code == 422
    assert "Say why: it stays in the history for ever." in text_of(answer)
    assert send(client, full, override="yes", reason=HOSTILE).status_code == 302
    verdict = AliasMove.objects.latest("pk").verdict
    assert (verdict.outcome, verdict.comment, verdict.user) == ("override", HOSTILE, full.people["ada"])
    history = text_of(client.get(f"{MODEL}/aliases/production"))
    assert "overridden" in history


def test_an_admin_may_do_without_an_approval_too(full):
    client = admin(full)
    declare(full, {"production": {"approvals": 1}})
    full.register("models/churn_model", "TrainFlow/4/train/1")
    assert "Override 1 rule and move" in look(client, "v4")
    assert send(client, full, 4, override="yes", reason="All are on leave").status_code == 302
    assert AliasMove.objects.latest("pk").verdict.outcome == "override"


def test_no_editor_overrides(full, ada):
    declare(full, STRICT)
    assert "Override" not in look(ada)
    assert send(ada, full, override="yes", reason="now").status_code == 403
    assert holds(full) == "v3"


def test_in_local_mode_nobody_overrides(full, settings):
    declare(full, STRICT)
    settings.MODE, settings.LOCAL_MODE = "local", True
    client = Client()
    assert "Override" not in text_of(client.get(f"{MOVE}?to=v2"))
    assert send(client, full, override="yes", reason="now").status_code == 403
    assert holds(full) == "v3"


# choosing


def test_one_chooses_an_alias_for_a_version(full, ada):
    page = text_of(ada.get(f"{MODEL}/move?to=v2"))
    assert f'href="{MODEL}/aliases/production/move?to=v2"' in page
    assert f'href="{MODEL}/aliases/candidate/move?to=v2"' in page
    answer = ada.get(f"{MODEL}/move?to=v2&alias=@best+one")
    assert answer.status_code in (302, 400)
    answer = ada.get(f"{MODEL}/move?to=v2&alias=best")
    assert answer.headers["Location"] == f"{MODEL}/aliases/best/move?to=v2"
    assert "On it already" in text_of(ada.get(f"{MODEL}/move?to=v3"))


def test_one_chooses_a_version_for_an_alias(full, ada):
    page = text_of(ada.get(MOVE))
    assert f'href="{MOVE}?to=v2"' in page
    assert f'href="{MOVE}?to=v3"' not in page  # it is there
    assert "This needs the role editor" in text_of(full.client("vic").get(MOVE))


def test_nothing_is_asked_again_and_again(full, ada, django_assert_max_num_queries):
    """Who is there (3); the asset, the version and what holds the alias; the gates, whether it held the alias before,
    and what rules compare with; the comparison; who reads it; the menus. Of 20 rules no more than of two."""
    rules = ["accuracy >= @production - 0.5", "accuracy >= 0.5"]
    declare(full, {"production": {"require": rules}})
    with django_assert_max_num_queries(99) as few:
        look(ada)
    more = [f"accuracy >= @production - 0.{number}" for number in range(10, 28)]
    declare(full, {"production": {"require": rules + more}})
    with django_assert_max_num_queries(99) as many:
        look(ada)
    assert len(many) == len(few) == 17


def test_what_held_the_alias_before_waits_for_no_approval_also_where_a_rule_refuses_it(full):
    full.alias("production", full.asset("models/churn_model").instances.get(number=2))
    full.alias("production", full.asset("models/churn_model").instances.get(number=3))
    declare(full, {"production": {"require": ["tag never"], "approvals": 1}})
    page = text_of(admin(full).get(f"{MODEL}/aliases/production/move?to=v2"))
    assert "1 of 2 rules refuses" in page
    assert "waits" not in page
    assert "may give it" not in page
