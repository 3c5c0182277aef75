"""Branch keys, names that can stand in an address, and which branch a flow reads and writes."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obproject.assets import _sanitize_branch_name
from obproject.branches import (
    MAX_KEY_LENGTH,
    BranchChoice,
    branch_key,
    check_alias,
    check_asset_id,
    check_branch,
    check_perimeter,
    check_project,
    former_keys,
    is_main,
    is_unnamed,
    reference_key,
    resolve_branches,
)
from obproject.projectbase import resolve_scope


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("main", "main"),
        ("feature/new-model", "feature_new_model"),
        ("feature--x", "feature_x"),
        ("feature/_x", "feature_x"),
        ("__x__", "x"),
        ("v1.2", "v1_2"),
        ("dependabot/npm/foo-1.2.3", "dependabot_npm_foo_1_2_3"),
        ("user.alice", "user_alice"),
        ("user.alice@company.com", "user_alice_at_company_com"),
        ("user.李", "user_81200efb"),
        ("user.王", "user_99663739"),
        ("été/x", "t_x_1845e536"),
        ("日本", "branch_cf2abf0c"),
        ("🚀", "branch_ebbc0b28"),
        ("main李", "main_a282cc6e"),
        ("ветка/новая", "branch_c4f0bb77"),
        ("user.DOM\\John Smith", "user_dom_john_smith"),
        ("Main", "main"),
        ("a b#c+d", "a_b_c_d"),
        ("@", "at"),
        ("//", ""),
        ("---", ""),
        ("", ""),
    ],
)
def test_branch_key(name: str, key: str) -> None:
    assert branch_key(name) == key


@pytest.mark.parametrize(
    "spellings",
    [
        ("été/x", "Été-X", "e\u0301te\u0301_x", "été--x"),
        ("user.李@example.org", "USER_李_at_example.org"),
        ("x" * 200, "X" * 200),
        ("İ", "I\u0307"),
    ],
)
def test_spellings_of_one_name_have_one_key_also_where_letters_are_lost(spellings: tuple[str, ...]) -> None:
    assert len({branch_key(name) for name in spellings}) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("user.李", "user.王", "user", "user.🚀", "user.\u200b"),
        ("été/x", "àtà/x", "t/x"),
        ("日本", "中国", "…", "branch"),
        ("main", "main李", "李main"),
        ("a" * 140, "a" * 141, "a" * 139 + "b"),
        ("@" * 200, "@" * 201),
    ],
)
def test_names_of_other_letters_have_other_keys_that_fit_everywhere(names: tuple[str, ...]) -> None:
    keys = {branch_key(name) for name in names}
    assert len(keys) == len(names)
    assert all(len(key) <= MAX_KEY_LENGTH for key in keys)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("feature/x", ()),
        ("user.李", ("user",)),
        ("été/x", ("t_x", "e_te_x")),
        ("e\u0301te\u0301/x", ("t_x", "e_te_x")),
        ("x" * 200, ("x" * 200,)),
        ("日本", ()),
        ("main李", ()),
        ("李prod", ()),
    ],
)
def test_what_other_clients_call_a_branch_that_lost_letters(name: str, keys: tuple[str, ...]) -> None:
    assert former_keys(name) == keys


@given(st.text())
def test_a_plain_name_keeps_its_key(name: str) -> None:
    if name.isascii() and len(reference_key(name)) <= MAX_KEY_LENGTH:
        assert branch_key(name) == reference_key(name)


@given(st.text())
def test_all_forms_of_unicode_of_a_name_have_one_key(name: str) -> None:
    assert len({branch_key(unicodedata.normalize(form, name)) for form in ("NFC", "NFD")} | {branch_key(name)}) == 1


@given(st.text())
def test_a_key_is_made_of_safe_characters_and_is_its_own_key(name: str) -> None:
    key = branch_key(name)
    assert re.fullmatch(r"([a-z0-9]+(_[a-z0-9]+)*)?", key)
    assert branch_key(key) == key


@pytest.mark.parametrize("name", ["feature_x", "prod", "dev"])
def test_a_name_that_equals_its_key_counts_as_unnamed(name: str) -> None:
    assert is_unnamed(name)


@pytest.mark.parametrize("name", ["main", "master", "feature/x", "user.alice", "Dev", "Main"])
def test_main_and_names_unlike_their_key_are_names_of_their_own(name: str) -> None:
    assert not is_unnamed(name)


def test_main_is_known_by_its_key() -> None:
    assert is_main("main")
    assert is_main("master")
    assert is_main("Main")
    assert not is_main("maintenance")


@pytest.mark.parametrize("check", [check_asset_id, check_alias])
@pytest.mark.parametrize(
    "name", ["xkcd", "report.csv", "a", "_x", "7", "été", "模型", "a@b+c:d~e-f", "x" * 128, "हिन्दी", "ไม้เท้า", "مُوَلِّد"]
)
def test_names_that_can_stand_in_an_address_are_returned(check, name: str) -> None:
    assert check(name) == name


@pytest.mark.parametrize("check", [check_asset_id, check_alias])
@pytest.mark.parametrize("name", ["café", "tiếng_Việt", "한글", "\u212b"])
def test_all_forms_of_a_name_are_one_name_in_nfc(check, name: str) -> None:
    for form in ("NFC", "NFD"):
        assert check(unicodedata.normalize(form, name)) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("check", [check_asset_id, check_alias])
@pytest.mark.parametrize(
    "name",
    [
        "\u0301",
        "x\u20dd",
        "a\ufe0fb",
        "a\u034fb",
        "\ufb2c" * 128,
        "",
        "@x",
        ".x",
        "-x",
        "a/b",
        "a?b",
        "a#b",
        "a%b",
        "a b",
        "a\tb",
        "a\nb",
        "x\n",
        "a\0b",
        "\ud800",
        "a\u2028b",
        "x" * 129,
    ],
)
def test_names_that_can_not_stand_in_an_address_are_refused(check, name: str) -> None:
    with pytest.raises(ValueError, match=r"asset id|alias"):
        check(name)


@pytest.mark.parametrize("check", [check_project, check_perimeter])
def test_projects_and_perimeters_are_plain(check) -> None:
    assert check("my-project_1.0") == "my-project_1.0"
    for name in ("", ".", "..", "-x", "a/b", "é", "a b", "x\n", "x" * 129):
        with pytest.raises(ValueError, match="name"):
            check(name)


def test_branch_names_need_a_key() -> None:
    assert check_branch("feature/x y") == "feature/x y"
    assert check_branch("日本") == "日本"
    assert check_branch("e\u0301") == "\u00e9"
    for name in ("", "//", "---", "a\0b", "x\ud800", "x" * 256):
        with pytest.raises(ValueError, match="branch name"):
            check_branch(name)


def record(branch_name: str) -> dict:
    """The project spec of a deployment from a branch, as far as branches go."""
    key = branch_key(branch_name)
    return {"branch": key, "branch_name": branch_name, "spec": {"project_branch": key, "branch_name": branch_name}}


@pytest.mark.parametrize(
    ("deployed_from", "dev_assets", "metaflow_branch", "write", "read"),
    [
        ("main", None, "prod", "main", "main"),
        ("main", "main", "prod", "main", "main"),
        ("main", "other", "prod", "main", "main"),
        ("master", "main", "prod", "master", "master"),
        ("feature-x", None, "test.feature_x", "feature-x", "feature-x"),
        ("feature-x", "main", "test.feature_x", "feature-x", "main"),
        ("feature/x", "main", "user.alice", "feature/x", "main"),
        (None, None, "user.alice", "user.alice", "user.alice"),
        (None, "main", "user.alice", "user.alice", "main"),
        (None, "", "user.alice", "user.alice", "user.alice"),
    ],
)
def test_who_reads_and_writes_where(deployed_from, dev_assets, metaflow_branch, write, read) -> None:
    choice = resolve_branches(
        project_spec=record(deployed_from) if deployed_from else {},
        dev_assets_branch=dev_assets,
        metaflow_branch=metaflow_branch,
    )
    assert (choice.write, choice.read) == (write, read)
    assert choice.deployed is (deployed_from is not None)
    assert choice.notice is None


@pytest.mark.parametrize("metaflow_branch", ["prod", "test.b", "prod.b"])
def test_fault_33_a_local_run_that_names_a_branch_uses_metaflows_and_says_so(metaflow_branch: str) -> None:
    choice = resolve_branches(dev_assets_branch="main", metaflow_branch=metaflow_branch, is_user_branch=False)
    assert (choice.write, choice.read) == (metaflow_branch, "main")
    assert choice.notice is not None
    assert repr(metaflow_branch) in choice.notice


def test_a_deployed_production_run_has_nothing_to_notice() -> None:
    choice = resolve_branches(project_spec=record("main"), metaflow_branch="prod", is_user_branch=False)
    assert choice == BranchChoice(write="main", read="main", source="spec")


@pytest.mark.parametrize(
    "spec",
    [
        {"spec": {"project_branch": "feature_x"}},
        {"branch": "feature_x"},
        {"branch": "feature_x", "spec": None},
        {"branch": "other", "spec": {"project_branch": "feature_x"}},
    ],
)
def test_a_spec_of_another_tool_names_its_branch_too(spec) -> None:
    assert resolve_branches(project_spec=spec, metaflow_branch="user.alice").write == "feature_x"


def test_a_missing_asset_is_looked_for_on_the_write_branch_last() -> None:
    elsewhere = resolve_branches(metaflow_branch="user.alice", dev_assets_branch="main")
    assert elsewhere.lookup_order == ("main", "user.alice")
    assert (elsewhere.read_key, elsewhere.write_key) == ("main", "user_alice")
    assert elsewhere.reads_elsewhere
    same = resolve_branches(metaflow_branch="user.alice")
    assert same.lookup_order == ("user.alice",)
    assert not same.reads_elsewhere


def test_two_spellings_of_one_branch_are_one_branch() -> None:
    choice = resolve_branches(project_spec=record("feature/x"), dev_assets_branch="feature_x")
    assert choice.read == "feature/x"
    assert choice.lookup_order == ("feature/x",)


@pytest.mark.parametrize(
    "arguments", [{}, {"metaflow_branch": "//"}, {"metaflow_branch": "user.a", "dev_assets_branch": "//"}]
)
def test_no_usable_branch_is_an_error(arguments) -> None:
    with pytest.raises(ValueError, match="branch name"):
        resolve_branches(**arguments)


@pytest.mark.parametrize(
    ("own_first", "order"), [(False, ("prod", "main", "user.alice")), (True, ("user.alice", "prod", "main"))]
)
def test_the_vendors_name_for_production_leads_to_main(own_first: bool, order: tuple[str, ...]) -> None:
    choice = resolve_branches(metaflow_branch="user.alice", dev_assets_branch="prod", own_first=own_first)
    assert choice.lookup_order == order


@pytest.mark.parametrize(
    ("record", "dev_assets", "read"),
    [
        (None, None, None),
        (None, "stable", "stable"),
        ({"branch": "main", "spec": {"metaflow_branch": "prod"}}, "stable", "prod"),
        ({"branch": "main", "spec": {"metaflow_branch": "prod.eu"}}, "stable", "prod.eu"),
        ({"branch": "main", "spec": {}}, "stable", "main"),
        ({"branch": "x", "spec": {"metaflow_branch": "test.x"}}, None, "test.x"),
        ({"branch": "x", "spec": {"metaflow_branch": "test.x"}}, "stable", "stable"),
        ({"branch": "main", "spec": {"metaflow_branch": "user.alice"}}, "stable", "stable"),
    ],
)
def test_the_public_clients_rule_of_branches_can_still_be_asked(record, dev_assets, read) -> None:
    config = {"project": "churn"} | ({"dev-assets": {"branch": dev_assets}} if dev_assets else {})
    assert resolve_scope(config, record) == ("churn", read)


@pytest.mark.parametrize(
    ("name", "written"),
    [("feature/Big-Model", "feature_big-model"), ("user.ada@example.org", "user_ada_at_example_org"), ("main", "main")],
)
def test_the_public_clients_spelling_of_a_branch_has_the_branchs_key(name: str, written: str) -> None:
    assert _sanitize_branch_name(name) == written
    assert branch_key(written) == branch_key(name)
