"""Reading and validating what a project folder declares."""

from pathlib import Path

import pytest

from obproject.project.definitions import (
    AssetDefinition,
    DefinitionError,
    ProjectConfig,
    read_project,
    read_readme,
)
from obproject.project.root import find_project_root

ASSET = 'id = "{id}"\nname = "A name"\ndescription = "What it is"\n'


@pytest.fixture
def write(tmp_path: Path):
    """Write a file of the project, given as text or bytes."""

    def write(path: str, content: str | bytes = "") -> None:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())

    write("obproject.toml", 'project = "my_project"\n')
    return write


def problems_of(root: Path) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        read_project(root)
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def test_a_whole_project(write, tmp_path: Path) -> None:
    write(
        "obproject.toml",
        """
        project = "fraud_detection"
        title = "Fraud detection"
        perimeter = "research"
        branch = "feature/x"
        version = "2025.1"
        created_at = "2025-01-01T00:00:00Z"
        platform = "known to others"
        [dev-assets]
        branch = "main"
        [promotion]
        aliases = ["candidate", "production"]
        [runs]
        leave_out = ["customer", "cfg.inner"]
        [unknown]
        anything = 1
        """,
    )
    write("README.md", "\n# Fraud\n\n")
    write(
        "data/transactions/asset_config.toml",
        """
        id = "transactions"
        name = "Transactions"
        description = "All of them"
        provider = "unknown keys are left alone"
        [properties]
        key = "value"
        empty = ""
        [tags]
        env = "prod"
        """,
    )
    write(
        "models/llama/asset_config.toml",
        'id = "small_llama"\nname = "Small Llama"\ndescription = "An LLM"\n'
        'kind = "external"\nicon = "meta"\nblobs = ["a", ["openai", "gpt-4.1"], {size = 8}]\n',
    )
    write("models/llama/README.md", "# Llama\r\n\r\nSmall.\r\n")
    project = read_project(tmp_path)
    assert project.config == ProjectConfig(
        project="fraud_detection",
        title="Fraud detection",
        perimeter="research",
        branch="feature/x",
        version="2025.1",
        created_at="2025-01-01T00:00:00Z",
        dev_assets_branch="main",
        promotion_aliases=("candidate", "production"),
        left_out_of_runs=("customer", "cfg.inner"),
    )
    assert project.readme == "# Fraud"
    assert project.assets == (
        AssetDefinition(
            folder="data",
            id="transactions",
            name="Transactions",
            description="All of them",
            asset_kind="data",
            source="data/transactions/asset_config.toml",
            properties={"key": "value", "empty": ""},
            tags={"env": "prod"},
        ),
        AssetDefinition(
            folder="models",
            id="small_llama",
            name="Small Llama",
            description="An LLM",
            asset_kind="external",
            source="models/llama/asset_config.toml",
            blobs=["a", ["openai", "gpt-4.1"], {"size": 8}],
            icon="meta",
            readme="# Llama\n\nSmall.",
        ),
    )


def test_stray_files_hidden_folders_and_missing_folders_are_no_problem(write, tmp_path: Path) -> None:
    write("data/notes.txt", "stray")
    write("data/.ipynb_checkpoints/x", "hidden")
    write("data/__pycache__/x", "hidden")
    assert read_project(tmp_path).assets == ()


def test_the_same_id_may_be_data_and_model(write, tmp_path: Path) -> None:
    write("data/a/asset_config.toml", ASSET.format(id="same"))
    write("models/a/asset_config.toml", ASSET.format(id="same"))
    assert [(asset.folder, asset.asset_kind) for asset in read_project(tmp_path).assets] == [
        ("data", "data"),
        ("models", "model"),
    ]


def test_asset_folders_can_have_other_names(write, tmp_path: Path) -> None:
    write("obproject.toml", 'project = "p"\n[obproject_dirs]\ndata = "assets/data/"\n')
    write("assets/data/a/asset_config.toml", ASSET.format(id="a"))
    write("data/ignored/asset_config.toml", "not TOML")
    (asset,) = read_project(tmp_path).assets
    assert (asset.folder, asset.source) == ("data", "assets/data/a/asset_config.toml")


def test_a_byte_order_mark_is_no_problem(write, tmp_path: Path) -> None:
    write("obproject.toml", b'\xef\xbb\xbfproject = "p"\r\ntitle = "T"\r\n')
    assert read_project(tmp_path).config.title == "T"


@pytest.mark.parametrize("name", ["README.md", "readme.md", "README.MD", "Readme.Markdown"])
def test_a_readme_is_found_in_capitals_or_not(write, tmp_path: Path, name: str) -> None:
    write("obproject.toml", 'project = "p"\n')
    write(name, b"\xef\xbb\xbf# It")
    write("README.rst", "not Markdown")
    write("data/a/asset_config.toml", ASSET.format(id="a"))
    write(f"data/a/{name}", "# Its data")
    project = read_project(tmp_path)
    assert (project.readme, project.assets[0].readme, project.notes) == ("# It", "# Its data", ())


def test_of_two_readmes_one_is_read_and_the_other_named(write, tmp_path: Path) -> None:
    write("obproject.toml", 'project = "p"\n')
    for name in ("README.md", "readme.md", "README.markdown"):
        write(f"flows/train/{name}", name)
    write("readme.md", "this")
    write("README.markdown", "not this")
    project = read_project(tmp_path)
    assert (project.readme, read_readme(tmp_path, tmp_path / "flows/train", [])) == ("this", "README.md")
    assert project.notes == (
        "README.markdown is left out, as readme.md beside it is the README.",
        "flows/train/readme.md is left out, as README.md beside it is the README.",
        "flows/train/README.markdown is left out, as README.md beside it is the README.",
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_text_in_utf_16_is_named(write, tmp_path: Path, encoding: str) -> None:
    write("obproject.toml", 'project = "p"\n')
    write("README.md", "\ufeff# It".encode(encoding))
    assert problems_of(tmp_path) == ["README.md: found UTF-16 text, expected UTF-8 text"]


def test_all_problems_come_at_once(write, tmp_path: Path) -> None:
    write(
        "obproject.toml",
        """
        project = "My-Project!"
        title = ["no"]
        branch = "//"
        promotion = "production"
        [dev-assets]
        branch = true
        [obproject_dirs]
        models = "../elsewhere"
        """,
    )
    write("README.md", b"caf\xe9")
    write("data/empty/readme.txt")
    write("data/first/asset_config.toml", ASSET.format(id="twin"))
    write("data/second/asset_config.toml", ASSET.format(id="twin"))
    write("data/latin/asset_config.toml", b'id = "latin"\nname = "caf\xe9"\n')
    write("data/slash/asset_config.toml", ASSET.format(id="a/b"))
    write("data/syntax/asset_config.toml", 'id = "x"\nname = \n')
    write("data/unclosed/asset_config.toml", 'id = "x"\nname = [\n')
    write(
        "models/wrong/asset_config.toml",
        """
        id = 7
        name = "  "
        kind = false
        icon = 1979-05-27
        blobs = "s3://bucket"
        properties = ["a"]
        [tags]
        version = 3
        score = 0.5
        nested = {a = "b"}
        """,
    )
    write("models/dates/asset_config.toml", ASSET.format(id="dates") + "blobs = [[1979-05-27]]\n")
    assert problems_of(tmp_path) == [
        "obproject.toml: key 'project': found 'My-Project!', expected at most 128 characters of a-z, 0-9 and '_', "
        "as Metaflow's @project demands; for example 'my_project'",
        "obproject.toml: key 'title': found a list, expected a string",
        "obproject.toml: key 'branch': "
        "the branch name '//' has no letter and no digit, so it has no key to be found by",
        "obproject.toml: [dev-assets] key 'branch': found the boolean true, expected a string",
        "obproject.toml: key 'promotion': found the string 'production', expected a table",
        "obproject.toml: [obproject_dirs] key 'models': "
        "found '../elsewhere', expected a folder inside the project, relative to it",
        "data/empty/asset_config.toml: found nothing, expected a file asset_config.toml there",
        "data/latin/asset_config.toml: line 2: found the byte 0xe9, expected UTF-8 text",
        "data/slash/asset_config.toml: key 'id': the asset id 'a/b' can't stand in an address: "
        "use letters, digits and _ . @ + : ~ -, beginning with a letter, a digit or '_'",
        "data/syntax/asset_config.toml: line 2: found a syntax error (Invalid value), expected valid TOML",
        "data/unclosed/asset_config.toml: line 3: found a syntax error (Invalid value), expected valid TOML",
        "models/dates/asset_config.toml: key 'blobs': found a date or time, "
        "expected only strings, finite numbers, booleans, lists and tables in the list",
        "models/wrong/asset_config.toml: key 'id': found the number 7, expected a string (write \"7\")",
        "models/wrong/asset_config.toml: key 'name': found an empty string, expected a string with something in it",
        "models/wrong/asset_config.toml: key 'description': "
        "found nothing, expected a string, for this key is mandatory",
        "models/wrong/asset_config.toml: key 'kind': found the boolean false, expected a string",
        "models/wrong/asset_config.toml: key 'properties': found a list, expected a table",
        "models/wrong/asset_config.toml: [tags] key 'version': found the number 3, expected a string (write \"3\")",
        "models/wrong/asset_config.toml: [tags] key 'score': found the number 0.5, expected a string (write \"0.5\")",
        "models/wrong/asset_config.toml: [tags] key 'nested': found a table, expected a string",
        "models/wrong/asset_config.toml: key 'blobs': found the string 's3://bucket', expected a list",
        "models/wrong/asset_config.toml: key 'icon': found a date or time, expected a string",
        "data/second/asset_config.toml: key 'id': found 'twin', which is the id in data/first/asset_config.toml too, "
        "expected an id that no other asset of its kind has",
        "README.md: line 1: found the byte 0xe9, expected UTF-8 text",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "key 'project': found nothing, expected a string, for this key is mandatory"),
        ('project = "é"', "for example 'e'"),
        ('project = "李"', "for example 'my_project'"),
        (f'project = "{"x" * 129}"', "expected at most 128 characters"),
        ('project = "a"\nproject = "b"', "line 2: found a syntax error"),
        ("x = " + "[" * 5000, "found"),
        ('project = "p"\n[promotion]\naliases = ["ok", "@no", 3]', "[promotion] key 'aliases': the alias '@no'"),
        ('project = "p"\n[promotion]\naliases = "ok"', "found the string 'ok', expected a list of strings"),
        (
            'project = "p"\n[runs]\nleave_out = "a"',
            "[runs] key 'leave_out': found the string 'a', expected a list of str",
        ),
        (
            'project = "p"\n[runs]\nleave_out = ["a", 3]',
            "[runs] key 'leave_out': found the number 3, expected a string",
        ),
        ('project = "p"\n[runs]\nleave_out = [""]', "[runs] key 'leave_out': found an empty string, expected a string"),
        ('project = "p"\nruns = ["a"]', "key 'runs': found a list, expected a table"),
        ('project = "p"\n[obproject_dirs]\ndata = "gone"', "found 'gone', expected the name of a folder that exists"),
        ('project = "p"\n[obproject_dirs]\ndata = "models"', "found the same folder as for models"),
        ('project = "p"\n[obproject_dirs]\ndata = "/tmp"', "expected a folder inside the project"),
        (
            'project = "p"\ntitle = "a\\u0000b"',
            "key 'title': found the character U+0000, expected no control characters",
        ),
        (f'project = "p"\nversion = "{"x" * 1025}"', "key 'version': found 1,025 characters, expected at most 1,024"),
        (
            'project = "p"\n[deploy]\ncheck = "error"',
            "[deploy] key 'check': found 'error', expected one of neutral, fail",
        ),
        (
            'project = "p"\n[deploy]\ncompare_with = "//"',
            "[deploy] key 'compare_with': the branch name '//' has no lett",
        ),
        ('project = "p"\nperimeter = "a/b"', "key 'perimeter': the perimeter name 'a/b' can't stand in an address"),
    ],
)
def test_problems_of_the_project_file(write, tmp_path: Path, content: str, problem: str) -> None:
    write("obproject.toml", content)
    (tmp_path / "models").mkdir()
    assert any(problem in found for found in problems_of(tmp_path))


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('[properties]\na = "\\u0000"', "[properties] key 'a': found the character U+0000"),
        ('[tags]\n"a\\u0000" = "b"', "[tags] key 'a\\x00': in the key itself: found the character U+0000"),
        ("blobs = [nan]", "key 'blobs': found the number nan"),
        ("blobs = [{a = [inf]}]", "key 'blobs': found the number inf"),
        ('icon = "\\u001b[31m"', "key 'icon': found the character U+001B, expected no control characters"),
        ('[tags]\na = "x\\u0085"', "[tags] key 'a': found the character U+0085"),
        ('blobs = [{"\\u0007" = 1}]', "key 'blobs': found the string '\\x07'"),
        (f'kind = "{"x" * 129}"', "key 'kind': found 129 characters, expected at most 128"),
        (f'icon = "{"x" * 65}"', "key 'icon': found 65 characters, expected at most 64"),
        (f'[tags]\na = "{"x" * 1025}"', "[tags] key 'a': found 1,025 characters, expected at most 1,024"),
        (f'[tags]\n{"k" * 256} = ""', "...': in the key itself: found 256 characters, expected at most 255"),
        (f'[properties]\n{"k" * 256} = ""', "...': in the key itself: found 256 characters, expected at most 255"),
        (f'[properties]\na = "{"é" * 32769}"', "[properties] key 'a': found 65,538 bytes, expected at most 65,536"),
        (f"blobs = [{'0,' * 10001}]", "key 'blobs': found 10,001 elements, expected at most 10,000"),
        ("[properties]\na = true", "[properties] key 'a': found the boolean true, expected a string"),
    ],
)
def test_problems_of_an_asset(write, tmp_path: Path, lines: str, problem: str) -> None:
    write("data/a/asset_config.toml", ASSET.format(id="a") + lines)
    (found,) = problems_of(tmp_path)
    assert problem in found


def test_what_is_too_long_is_told_with_all_the_rest(write, tmp_path: Path) -> None:
    write(
        "data/a/asset_config.toml",
        f'id = "a"\nname = "{"n" * 256}"\ndescription = "{"d" * 65537}"\nkind = 3\n',
    )
    write("data/a/README.md", "r" * (1024 * 1024 + 1))
    deep = "/".join(["d" * 250] * 2)
    write("obproject.toml", f'project = "p"\n[obproject_dirs]\nmodels = "{deep}"\n')
    write(f"{deep}/b/asset_config.toml", ASSET.format(id="b"))
    source = f"{deep}/b/asset_config.toml"
    assert problems_of(tmp_path) == [
        "data/a/README.md: found 1,048,577 characters, expected at most 1,048,576",
        "data/a/asset_config.toml: key 'name': found 256 characters, expected at most 255",
        "data/a/asset_config.toml: key 'description': found 65,537 characters, expected at most 65,536",
        "data/a/asset_config.toml: key 'kind': found the number 3, expected a string (write \"3\")",
        f"{source}: in its path: found {len(source)} characters, expected at most 512",
    ]


def test_what_is_just_short_enough_is_no_problem(write, tmp_path: Path) -> None:
    write(
        "data/a/asset_config.toml",
        f'id = "a"\nname = "{"n" * 255}"\ndescription = "{"d" * 65536}"\nicon = "{"i" * 64}"\nkind = "{"k" * 128}"\n'
        f'blobs = [{"0," * 10000}]\n[properties]\n{"k" * 255} = "{"p" * 65536}"\n'
        f'[tags]\n{"k" * 255} = "{"t" * 1024}"\n',
    )
    write("data/a/README.md", "\n" + "r" * 1024 * 1024 + "\n")
    assert len(read_project(tmp_path).assets) == 1


def test_lines_and_tabs_are_text(write, tmp_path: Path) -> None:
    write("data/a/asset_config.toml", 'id = "a"\nname = "A"\ndescription = "one\\r\\n\\ttwo"\n')
    (asset,) = read_project(tmp_path).assets
    assert asset.description == "one\r\n\ttwo"


def test_a_folder_whose_name_is_no_text_is_a_problem(write, tmp_path: Path) -> None:
    write("data/caf\udce9/asset_config.toml", ASSET.format(id="a"))
    assert problems_of(tmp_path) == [
        "data/caf\udce9/asset_config.toml: in its path: "
        "found the character U+DCE9, expected no control characters and no lone surrogates"
    ]


def test_missing_project_file_and_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert problems_of(tmp_path) == [
        "obproject.toml: found nothing, expected a file obproject.toml there",
        "data: found not a directory, expected a folder with one folder for each asset",
    ]


def test_a_folder_in_place_of_a_file(write, tmp_path: Path) -> None:
    (tmp_path / "data/a/asset_config.toml").mkdir(parents=True)
    assert problems_of(tmp_path) == ["data/a/asset_config.toml: found is a directory, expected a file that can be read"]


def test_the_project_is_found_from_a_folder_within(write, tmp_path: Path) -> None:
    inner = tmp_path / "flows/train"
    inner.mkdir(parents=True)
    assert find_project_root(inner) == tmp_path.resolve()
    assert find_project_root(Path("/")) is None


def test_a_link_to_the_project_file_of_a_folder_above_stands_for_that_folder(tmp_path: Path) -> None:
    for name in ("project/flows/train", "other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "project/obproject.toml").touch()
    (tmp_path / "project/flows/train/obproject.toml").symlink_to("../../obproject.toml")
    (tmp_path / "other/obproject.toml").symlink_to("../project/obproject.toml")
    assert find_project_root(tmp_path / "project/flows/train") == tmp_path / "project"
    # A file that is kept elsewhere, as in a mounted configuration, says nothing of the project's folder.
    assert find_project_root(tmp_path / "other") == tmp_path / "other"


METRICS = """
[metrics.log_loss]
better = "lower"
noise = 1
[metrics.auc]
better = "higher"
headline = true
noise = 0.002
[metrics."duration.train"]
better = "none"
headline = false
unit = "s"
[metrics.rows]
[compare]
ignore = ["notebook", "path.*"]
"""


def test_metrics_are_read_in_the_order_of_the_file(write, tmp_path: Path) -> None:
    write("models/a/asset_config.toml", ASSET.format(id="a") + METRICS)
    (asset,) = read_project(tmp_path).assets
    assert [metric.document for metric in asset.metrics] == [
        {"name": "log_loss", "better": "lower", "noise": 1.0},
        {"name": "auc", "better": "higher", "headline": True, "noise": 0.002},
        {"name": "duration.train", "better": "none", "unit": "s"},
        {"name": "rows"},
    ]
    assert asset.compare_ignore == ("notebook", "path.*")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("metrics = 3", "key 'metrics': found the number 3, expected a table"),
        ("[metrics]\nauc = 1", "[metrics] key 'auc': found the number 1, expected a table"),
        ("[[metrics.auc]]", "[metrics] key 'auc': found a list, expected a table"),
        (
            "[metrics.auc]\nbeter = 1",
            "[metrics.auc] key 'beter': found a key that is not known here, expected only bet",
        ),
        (
            '[metrics.duration.train]\nunit = "s"',
            "[metrics.duration] key 'train': found a key that is not known here, expected only better, headline, "
            'noise, unit; a name with a dot in it stands in quotes, as in [metrics."duration.train"]',
        ),
        ('[metrics.a]\nbetter = "up"', "[metrics.a] key 'better': found 'up', expected one of higher, lower, none"),
        ("[metrics.a]\nbetter = true", "[metrics.a] key 'better': found the boolean true, expected a string"),
        ("[metrics.a]\nheadline = 1", "[metrics.a] key 'headline': found the number 1, expected true or false"),
        ('[metrics.a]\nnoise = "1"', "[metrics.a] key 'noise': found the string '1', expected a number"),
        ("[metrics.a]\nnoise = true", "[metrics.a] key 'noise': found the boolean true, expected a number"),
        ("[metrics.a]\nnoise = nan", "key 'noise': found the number nan, expected a finite number above 0"),
        ("[metrics.a]\nnoise = inf", "key 'noise': found the number inf, expected a finite number above 0"),
        ("[metrics.a]\nnoise = 0", "key 'noise': found the number 0, expected a finite number above 0"),
        ("[metrics.a]\nnoise = -0.1", "key 'noise': found the number -0.1, expected a finite number above 0"),
        (f"[metrics.a]\nnoise = 1{'0' * 400}", "expected a finite number above 0"),
        ('[metrics.a]\nunit = "  "', "[metrics.a] key 'unit': found an empty string"),
        ('[metrics.a]\nunit = " s"', "[metrics.a] key 'unit': expected one line of text without blanks around it"),
        ('[metrics.a]\nunit = "a\\nb"', "[metrics.a] key 'unit': expected one line of text"),
        (f'[metrics.a]\nunit = "{"s" * 33}"', "[metrics.a] key 'unit': found 33 characters, expected at most 32"),
        ("[metrics.run_id]", "[metrics] key 'run_id': this is the name of an identity or of a moment"),
        ("[metrics.created_at]", "[metrics] key 'created_at': this is the name of an identity or of a moment"),
        ("[metrics._private]", "[metrics] key '_private': this name is reserved"),
        ("[metrics.artifact]", "[metrics] key 'artifact': this name is reserved"),
        ('[metrics." "]', "[metrics] key ' ': a metric needs a name with something in it"),
        ('[metrics."a\\u0007"]', "[metrics] key 'a\\x07': found the character U+0007"),
        (f"[metrics.{'m' * 256}]", "found a name of 256 characters, expected at most 255"),
        ("\n".join(f"[metrics.m{n}]" for n in range(201)), "key 'metrics': found 201 metrics, expected at most 200"),
        ('compare = ["a"]', "key 'compare': found a list, expected a table"),
        ('[compare]\ningore = ["a"]', "[compare] key 'ingore': found a key that is not known here, expected only ign"),
        ('[compare]\nignore = "a"', "[compare] key 'ignore': found the string 'a', expected a list of strings"),
        ("[compare]\nignore = [1]", "[compare] key 'ignore': found the number 1, expected a string"),
        ('[compare]\nignore = [""]', "[compare] key 'ignore': found an empty string"),
        ('[compare]\nignore = ["*"]', "[compare] key 'ignore': expected a name, or the beginning of names with a *"),
        ('[compare]\nignore = ["a*b"]', "[compare] key 'ignore': found a * before the end"),
        (f'[compare]\nignore = ["{"k" * 256}"]', "[compare] key 'ignore': found 256 characters, expected at most 255"),
        ("[compare]\nignore = [" + '"a",' * 201 + "]", "[compare] key 'ignore': found 201 names, expected at most 200"),
    ],
)
def test_what_can_not_be_understood_of_metrics_is_refused(write, tmp_path: Path, lines: str, problem: str) -> None:
    write("data/a/asset_config.toml", ASSET.format(id="a") + lines)
    (found,) = problems_of(tmp_path)
    assert found.startswith("data/a/asset_config.toml: ")
    assert problem in found


GATES = """
[gates.validated]
require = ["auc >= 0.78", "card present", "not unusual"]
[gates.production]
approvals = 1
require = ["auc >= @production - 0.002"]
warn = []
approvers = ["role:admin", "ann"]
[gates."into branch"]
[gates."*"]
require = ["any text: >> the catalogue parses it"]
"""


def test_gates_are_kept_as_they_are_written_in_the_order_of_the_file(write, tmp_path: Path) -> None:
    write("models/a/asset_config.toml", ASSET.format(id="a") + GATES)
    write("models/b/asset_config.toml", ASSET.format(id="b") + "[gates]\n")
    write("models/c/asset_config.toml", ASSET.format(id="c"))
    declared, empty, silent = read_project(tmp_path).assets
    assert declared.gates == {
        "validated": {"require": ["auc >= 0.78", "card present", "not unusual"]},
        "production": {
            "require": ["auc >= @production - 0.002"],
            "warn": [],
            "approvers": ["role:admin", "ann"],
            "approvals": 1,
        },
        "into branch": {},
        "*": {"require": ["any text: >> the catalogue parses it"]},
    }
    assert list(declared.gates) == ["validated", "production", "into branch", "*"]
    assert (empty.gates, silent.gates) == ({}, None)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("gates = 3", "key 'gates': found the number 3, expected a table"),
        ('[gates]\nrequire = ["a"]', "[gates] key 'require': found a list, expected a table"),
        ("[[gates.production]]", "[gates] key 'production': found a list, expected a table"),
        (
            "[gates.production]\nrequier = []",
            "[gates.production] key 'requier': found a key that is not known here, expected only require, warn, "
            "approvals, approvers",
        ),
        (
            '[gates."into branch"]\nrequire = "a"',
            "[gates.\"into branch\"] key 'require': found the string 'a', expected a list of strings",
        ),
        ("[gates.a]\nrequire = [1]", "[gates.a] key 'require': found the number 1, expected a string"),
        ('[gates.a]\nwarn = [" "]', "[gates.a] key 'warn': found an empty string"),
        ('[gates.a]\nwarn = ["a\\u0007"]', "[gates.a] key 'warn': found the character U+0007"),
        ("[gates.a]\napprovers = [true]", "[gates.a] key 'approvers': found the boolean true, expected a string"),
        ('[gates.a]\napprovals = "1"', "[gates.a] key 'approvals': found the string '1', expected a number"),
        ("[gates.a]\napprovals = true", "[gates.a] key 'approvals': found the boolean true, expected a number"),
        ("[gates.a]\napprovals = 1.5", "key 'approvals': found the number 1.5, expected a whole number, 0 or more"),
        ("[gates.a]\napprovals = -1", "key 'approvals': found the number -1, expected a whole number, 0 or more"),
        ('[gates."a\\u0007"]', "[gates] key 'a\\x07': found the character U+0007"),
    ],
)
def test_gates_of_another_shape_are_refused(write, tmp_path: Path, lines: str, problem: str) -> None:
    write("models/a/asset_config.toml", ASSET.format(id="a") + lines)
    (found,) = problems_of(tmp_path)
    assert found.startswith("models/a/asset_config.toml: ")
    assert problem in found
