"""Which names are not compared: `comparing.changing`."""

from comparing.changing import NotCompared, changing_in_every_step, is_metric


def versions(many: int, **of_each):
    return [{name: said(number) for name, said in of_each.items()} for number in range(many)]


def test_what_is_other_in_every_version_is_learned_from_five_steps():
    said = versions(6, path=lambda number: f"s3://b/{number}", kind=lambda number: "csv")
    assert changing_in_every_step(said) == {"path"}
    assert changing_in_every_step(said[1:]) == set()


def test_what_was_the_same_once_is_compared():
    said = versions(20, path=lambda number: f"s3://b/{max(number, 2)}")
    assert changing_in_every_step(said) == set()


def test_measures_are_always_compared():
    said = versions(9, auc=lambda number: number / 10, built_at=lambda number: 1_700_000_000 + number)
    assert changing_in_every_step(said, is_metric) == {"built_at"}
    assert changing_in_every_step(said) == set()


def test_without_a_name_on_both_sides_there_is_no_step():
    said = [{"path": str(number) + "x"} if number % 2 else {} for number in range(20)]
    assert changing_in_every_step(said) == set()


def test_truth_is_no_number():
    said = [{"flag": True}, {"flag": 1}, {"flag": True}, {"flag": 1}, {"flag": True}, {"flag": 1}]
    assert changing_in_every_step(said, is_metric) == set()
    assert changing_in_every_step([{"x": [1]}, {"x": [2]}] * 3) == {"x"}


def test_a_project_leaves_out_names_and_beginnings():
    left_out = NotCompared(["note", "path_*", "", 7])
    assert [name in left_out for name in ("note", "notes", "path_a", "path", "path_")] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert "anything" in NotCompared(["*"])
    assert "anything" not in NotCompared([])
