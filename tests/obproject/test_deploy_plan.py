"""A deployment checks everything before it changes anything: several projects, environments, the orchestrator."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from obproject.deploy.deployers import ArgoWorkflows
from obproject.deploy.main import main
from obproject.deploy.options import Options
from obproject.deploy.plan import Plan, make_plan
from obproject.deploy.projects import NoProject, ProjectFolder, find_projects
from obproject.deploy.report import describe_result, shown
from obproject.deploy.result import DeployResult
from obproject.project.definitions import DefinitionError
from tests.obproject.deploying import FLOW, PROJECT, Recorder, leave_this_machine, recording, spec_file, write
from tests.places import CHECKOUT, place

ENVIRONMENTS = """
project = "my_project"
perimeter = "of_file"

[branch_to_environment]
"release/*" = "staging"
"release/old" = "archive"
main = "production"

[environments.staging]
perimeter = "staging"
deployer = "argo-workflows"

[environments.staging.flow_configs]
limits = "config/limits.json"

[environments.default]
perimeter = "sandbox"
"""


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    leave_this_machine(monkeypatch, tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "work", PROJECT)
    return tmp_path / "work"


def plan(root: Path, **options: object) -> Plan:
    given = {"branch": "feature/x", "spec_only": True} | options
    return make_plan(ProjectFolder(root), Options(**given))  # type: ignore[arg-type]


def problems(root: Path, **options: object) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        plan(root, **options)
    return [str(problem) for problem in caught.value.problems]


DOCS, FLOWS = ((CHECKOUT / "docs" / name).read_text() for name in ("deploy.md", "flows.md"))
DEFINITIONS = place("obproject/project/definitions.py").read_text()


@pytest.mark.parametrize("option", sorted({*vars(Options()), "all", "project"} - {"projects", "spec_only"}))
def test_every_option_is_in_the_docs(option: str) -> None:
    assert f"`--{option.replace('_', '-')}" in DOCS


@pytest.mark.parametrize("key", sorted(set(re.findall(r'\.(?:text|flag|table|texts)\("(\w+)"', DEFINITIONS))))
def test_every_key_of_the_project_file_is_in_the_docs(key: str) -> None:
    assert re.search(rf"\b{key}\b", DOCS + FLOWS)


# Environments


@pytest.mark.parametrize(
    ("branch", "perimeter"),
    [
        ("release/v2", "staging"),
        ("release/old", "of_file"),  # named exactly, as an environment that has no perimeter
        ("main", "of_file"),
        ("feature/x", "sandbox"),
        ("release_v2", "sandbox"),  # the git name counts, not the key
    ],
)
def test_the_environment_of_a_branch_names_the_perimeter(root: Path, branch: str, perimeter: str) -> None:
    write(root, {"obproject.toml": ENVIRONMENTS})
    assert plan(root, branch=branch, skip_flows=True).settings.perimeter == perimeter


def test_the_perimeter_comes_from_the_option_the_environment_the_settings_the_file_and_the_variable(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERIMETER_NAME", "of_variable")
    assert plan(root).settings.perimeter == "of_variable"
    write(root, {"obproject.toml": ENVIRONMENTS})
    assert plan(root, branch="main").settings.perimeter == "of_file"
    monkeypatch.setenv("ASSETSITE_PERIMETER", "of_settings")
    assert plan(root, branch="main").settings.perimeter == "of_settings"
    assert plan(root, branch="feature/x").settings.perimeter == "sandbox"
    assert plan(root, branch="feature/x", perimeter="of_option").settings.perimeter == "of_option"


def test_a_config_file_that_is_missing_is_named_by_its_key(root: Path) -> None:
    write(root, {"obproject.toml": ENVIRONMENTS})
    assert problems(root, branch="release/v2", skip_assets=True) == [
        "obproject.toml: [environments.staging.flow_configs] key 'limits': found 'config/limits.json', "
        "expected a file that exists in the project"
    ]
    assert plan(root, branch="release/v2", skip_flows=True)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[deploy]\ndeployer = "jenkins"', "[deploy] key 'deployer': found 'jenkins'"),
        ("[deploy.tags]\nauto = 1", "[deploy.tags] key 'auto': found the number 1, expected true or false"),
        ('[dependencies]\npackage_suffixes = "html"', "[dependencies] key 'package_suffixes'"),
        ("[branch_to_environment]\nmain = 3", "[branch_to_environment] key 'main'"),
        ("[environments]\nstaging = 3", "[environments] key 'staging': found the number 3, expected a table"),
        ('[environments.x]\nperimeter = "a/b"', "[environments.x] key 'perimeter'"),
        ('[environments.x]\ndeployment_config = "../c.yml"', "[environments.x] key 'deployment_config'"),
        ('[environments.x.flow_configs]\n"a b" = "c"', "[environments.x.flow_configs] key 'a b'"),
    ],
)
def test_what_is_wrong_in_the_project_file_is_named_by_its_key(root: Path, text: str, where: str) -> None:
    write(root, {"obproject.toml": f'project = "p"\n{text}\n'})
    (found,) = problems(root)
    assert where in found


def test_dependencies_that_are_no_toml_are_a_problem(root: Path) -> None:
    write(root, {"pyproject.toml": "[project\n"})
    assert problems(root)[0].startswith("pyproject.toml: line 1: found a syntax error")
    write(root, {"obproject.toml": 'project = "p"\n[dependencies]\ninclude_pyproject_toml = false\n'})
    assert plan(root)


# The orchestrator


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is named, and Metaflow has a datastore that remote tasks reach."""
    monkeypatch.setenv("ASSETSITE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("METAFLOW_DEFAULT_DATASTORE", "s3")


def deployer_of(root: Path, **options: object) -> str | None:
    found = plan(root, spec_only=False, **options).deployer
    return found.name if found else None


@pytest.mark.usefixtures("configured")
def test_without_a_configured_orchestrator_flows_are_run_by_hand(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert deployer_of(root) is None
    monkeypatch.setenv("METAFLOW_ARGO_EVENTS_WEBHOOK_URL", "http://x")
    assert deployer_of(root) == "argo-workflows"
    assert deployer_of(root, deployer="none") is None
    monkeypatch.setenv("METAFLOW_SFN_IAM_ROLE", "arn")
    assert problems(root, spec_only=False) == [
        "deployer: Metaflow is configured for argo-workflows and step-functions; choose one with --deployer"
    ]
    write(root, {"obproject.toml": 'project = "p"\n[deploy]\ndeployer = "step-functions"\n'})
    assert deployer_of(root) == "step-functions"
    write(root, {"obproject.toml": ENVIRONMENTS, "config/limits.json": "{}"})
    assert deployer_of(root, branch="release/v2") == "argo-workflows"
    assert deployer_of(root, branch="release/v2", deployer="step-functions") == "step-functions"


@pytest.mark.usefixtures("configured")
def test_everything_that_keeps_flows_from_being_deployed_is_said_at_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("METAFLOW_DEFAULT_DATASTORE")
    monkeypatch.delenv("ASSETSITE_URL")
    write(root, {"flows/plain/flow.py": FLOW.format(name="PlainFlow").replace("ProjectFlow", "FlowSpec")})
    found = problems(root, spec_only=False, deployer="airflow")
    expected = ["ASSETSITE_URL", "datastore is a folder of this machine", "--dags-folder", "plain FlowSpec"]
    assert len(found) == len(expected)
    for said, problem in zip(expected, found, strict=True):
        assert said in problem


def test_the_folder_of_dags_must_be_there(root: Path, configured: None) -> None:
    (problem,) = problems(root, spec_only=False, deployer="airflow", dags_folder="dags")
    assert f"{root}/dags, is no folder" in problem
    (root / "dags").mkdir()
    assert deployer_of(root, deployer="airflow", dags_folder="dags") == "airflow"


def test_an_orchestrator_whose_python_package_is_missing_is_told(
    root: Path, configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("obproject.deploy.deployers.find_spec", lambda name: None)
    assert problems(root, spec_only=False, deployer="argo-workflows") == [
        "deployer: argo-workflows needs the Python package kubernetes: pip install kubernetes"
    ]


def test_commands_carry_dependencies_environment_and_paths(
    tmp_path: Path, configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/before")
    root = tmp_path / "repository/services/one"
    settings = '[dependencies]\nenvironment = "pypi"\npackage_suffixes = ".json"\n[deploy.tags]\nauto = false\n'
    write(root, PROJECT | {"obproject.toml": f'project = "p"\n{settings}', "pyproject.toml": "[project]\n"})
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_SHA", "c0ffee")
    folder = ProjectFolder(root, "one", tmp_path / "repository")
    found = make_plan(folder, Options(branch="main", deployer="argo-workflows", authorize="token"))
    assert found.deployer
    command = found.deployer.create(found.flows[0], found.spec_file)
    assert command.arguments[1:] == (
        "flow.py", "--production",
        "--config", "project_spec", f"{root}/project_spec.json",
        "--config", "project_config", f"{root}/obproject.toml",
        "--config", "project_deps", f"{root}/pyproject.toml",
        "--package-suffixes=.json", "--environment=pypi",
        "argo-workflows", "create", "--authorize", "token",
    )  # fmt: skip
    assert command.folder == root / "flows/train"
    assert command.environment == {
        "PYTHONPATH": os.pathsep.join([str(root), f"{root}/src", f"{tmp_path}/repository", "/before"]),
        "ASSETSITE_URL": "http://127.0.0.1:9",
        "ASSETSITE_PERIMETER": "default",
    }


PYPROJECT = '[project]\nname = "x"\nversion = "1"\ndependencies = ["numpy>=1"]\n'
LEFT_OUT = 'project = "p"\n[dependencies]\ninclude_pyproject_toml = false\n'
NAMED = 'project = "p"\n[dependencies]\nenvironment = "local"\n'
PACKED = FLOW.format(name="TrainFlow").replace("@step\n    def end", "@conda(packages={})\n    @step\n    def end")


@pytest.mark.parametrize(
    ("files", "set_here", "deployed", "by_hand"),
    [
        ({}, {}, None, None),
        ({"flows/train/flow.py": PACKED}, {}, "conda", "conda"),
        # Runs by hand take the packages of the project from where they are started.
        ({"pyproject.toml": PYPROJECT}, {}, "pypi", None),
        ({"flows/train/flow.py": PACKED, "pyproject.toml": PYPROJECT}, {}, "conda", "conda"),
        ({"pyproject.toml": '[project]\nname = "x"\n'}, {}, None, None),
        ({"pyproject.toml": PYPROJECT}, {"OBPROJECT_SKIP_PYPI_BASE": "1"}, None, None),
        ({"pyproject.toml": PYPROJECT, "obproject.toml": LEFT_OUT}, {}, None, None),
        ({"pyproject.toml": PYPROJECT, "obproject.toml": NAMED}, {}, "local", "local"),
        ({"flows/train/flow.py": PACKED}, {"METAFLOW_DEFAULT_ENVIRONMENT": "pypi"}, None, None),
    ],
)
def test_commands_ask_for_the_environment_that_the_packages_of_a_flow_need(
    root: Path,
    configured: None,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    set_here: dict[str, str],
    deployed: str | None,
    by_hand: str | None,
) -> None:
    for name, value in set_here.items():
        monkeypatch.setenv(name, value)
    write(root, files)
    (flow,) = plan(root).runnable
    command = flow.command(root / "project_spec.json", "argo-workflows", "create")
    assert [part for part in command.arguments if "--environment" in part] == (
        [f"--environment={deployed}"] if deployed else []
    )
    run = flow.run_by_hand(root, root / "project_spec.json").arguments
    assert [part for part in run if "--environment" in part] == ([f"--environment={by_hand}"] if by_hand else [])
    assert ("project_deps" in run) == bool(by_hand and "pyproject.toml" in files)


def test_an_environment_that_metaflow_does_not_have_is_told(root: Path, configured: None) -> None:
    write(root, {"obproject.toml": NAMED.replace("local", "fast-bakery")})
    (problem,) = problems(root)
    assert problem.startswith(
        "obproject.toml: [dependencies] key 'environment': found 'fast-bakery', expected an environment of this "
        "Metaflow: local, conda, pypi"
    )


def test_a_run_by_hand_has_the_configs_of_its_environment(tmp_path: Path, configured: None) -> None:
    root = tmp_path / "my project"
    limits = FLOW.format(name="TrainFlow").replace("    @step", "    limits = Config('limits')\n\n    @step", 1)
    files = {"obproject.toml": ENVIRONMENTS, "config/limits.json": "{}", "flows/train/flow.py": limits}
    write(root, PROJECT | files)
    found = plan(root, branch="release/1", deployer="none")
    assert [shown(flow.run_by_hand(root, found.spec_file)) for flow in found.runnable] == [
        f"cd '{root}' && PYTHONPATH='{root}:{root}/src' ASSETSITE_URL=http://127.0.0.1:9 ASSETSITE_PERIMETER=staging "
        "python flows/train/flow.py --config project_spec project_spec.json --config limits config/limits.json run"
    ]


def test_a_config_that_may_be_the_environments_is_refused_if_its_name_is_not_told(root: Path, configured: None) -> None:
    unclear = FLOW.format(name="TrainFlow").replace("    @step", "    limits = Config(chosen())\n\n    @step", 1)
    write(root, {"obproject.toml": ENVIRONMENTS, "config/limits.json": "{}", "flows/train/flow.py": unclear})
    assert problems(root, branch="release/1", deployer="none") == [
        "flows/train/flow.py: line 6: found a Config whose name the code does not tell, and the environment has a file "
        "for 'limits', expected the name as a string or a constant"
    ]
    assert plan(root, branch="feature/x", deployer="none").workflows[0].unclear_config == 6


def test_the_command_that_deletes_a_flow_elsewhere_runs_as_printed(root: Path, configured: None) -> None:
    found = replace(plan(root), deployer=ArgoWorkflows())
    result = DeployResult(found, found.record, elsewhere={"TrainFlow": "step-functions"})
    command = describe_result(result).splitlines()[1].strip()
    assert command == (
        f"cd {root}/flows/train && PYTHONPATH={root}:{root}/src ASSETSITE_URL=http://127.0.0.1:9 "
        f"ASSETSITE_PERIMETER=default python flow.py --branch feature_x --config project_spec {root}/project_spec.json "
        f"--config project_config {root}/obproject.toml --package-suffixes=.html step-functions delete"
    )


# Several projects


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two projects, and the file that names them."""
    root = tmp_path / "repository"
    for name in ("one", "two"):
        write(root / "services" / name, PROJECT | {"obproject.toml": f'project = "{name}_project"\n'})
    write(root, {"obproject_multi.toml": '[projects]\none = "services/one"\ntwo = "services/two"\n'})
    return root


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    with recording() as recorder:
        monkeypatch.setenv("ASSETSITE_URL", recorder.url)
        yield recorder


def deployed(server: Recorder) -> list[str]:
    return [path.split("/")[5] for _, path, *_ in server.requests]


def test_all_projects_are_deployed_or_those_that_are_named(repository: Path, server: Recorder) -> None:
    options = ["--quiet", "--root", str(repository), "--branch", "x"]
    assert main(options) == 0
    assert deployed(server) == ["one_project", "two_project"]
    assert main([*options, "--all"]) == 0
    assert main([*options, "--project", "two"]) == 0
    assert deployed(server)[4:] == ["two_project"]
    assert main([*options, "--project", "two", "--project", "one"]) == 0
    assert deployed(server)[5:] == ["two_project", "one_project"]
    assert spec_file(repository / "services/one")["project"] == "one_project"


def test_a_project_that_is_not_there_is_refused_with_those_that_are(
    repository: Path, server: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(repository), "--branch", "x", "--project", "three"]) == 1
    assert "has no project 'three'; it has one, two" in capsys.readouterr().err
    alone = str(repository / "services/one")
    assert main(["--root", alone, "--branch", "x", "--project", "two"]) == 1
    assert "--project: found 'two', expected 'one_project'" in capsys.readouterr().err
    assert main(["--quiet", "--root", alone, "--branch", "x", "--project", "one_project"]) == 0
    with pytest.raises(SystemExit):
        main(["--root", str(repository), "--all", "--project", "one"])


def test_a_problem_of_one_project_keeps_all_from_being_deployed(
    repository: Path, server: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository / "services/two", {"flows/train/flow.py": "broken("})
    options = ["--root", str(repository), "--branch", "x"]
    assert main(options) == 1
    err = capsys.readouterr().err
    assert "two: flows/train/flow.py: line 1: found a syntax error" in err
    assert "1 problem found; nothing was deployed." in err
    assert server.requests == []


def test_fault_24_others_are_deployed_if_errors_are_to_be_continued_on(
    repository: Path, server: Recorder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository / "services/one", {"obproject.toml": 'project = "one_project"\nperimeter = "not/one"\n'})
    monkeypatch.setenv("CONTINUE_ON_ERROR", "1")
    assert main(["--json", "--root", str(repository), "--branch", "x"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == "failed"
    assert [problem["project"] for problem in document["problems"]] == ["one"]
    assert [project["project"] for project in document["projects"]] == ["two_project"]
    assert deployed(server) == ["two_project"]


def test_after_a_failure_the_next_project_is_not_begun(
    repository: Path, server: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    server.status, server.answer = 409, {"error": "conflict", "message": "No.", "detail": {}}
    options = ["--root", str(repository), "--branch", "x"]
    assert main(options) == 1
    assert deployed(server) == ["one_project"]
    assert "two: was not deployed, because one before it failed." in capsys.readouterr().err
    assert main([*options, "--continue-on-error"]) == 1
    assert deployed(server)[1:] == ["one_project", "two_project"]


def test_two_entries_for_one_project_are_refused(
    repository: Path, server: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository / "services/two", {"obproject.toml": 'project = "one_project"\n'})
    assert main(["--root", str(repository), "--branch", "x"]) == 1
    assert "two: obproject.toml: key 'project': found the project 'one_project'" in capsys.readouterr().err
    assert server.requests == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "key 'projects': found nothing"),
        ("[projects]\n", "key 'projects': found nothing"),
        ("projects = 3\n", "key 'projects': found the number 3"),
        ('[projects]\none = "services/none"\n', "[projects] key 'one': found 'services/none'"),
        ('[projects]\none = "../other"\n', "[projects] key 'one': found '../other'"),
        ("[projects]\none = 1\n", "[projects] key 'one': found the number 1"),
        ("[projects\n", "line 1: found a syntax error"),
    ],
)
def test_what_is_wrong_in_the_file_of_several_projects_is_named(repository: Path, text: str, said: str) -> None:
    write(repository, {"obproject_multi.toml": text})
    with pytest.raises(DefinitionError) as caught:
        find_projects(repository)
    assert str(caught.value).startswith(f"obproject_multi.toml: {said}")


def test_where_projects_are_looked_for(repository: Path, tmp_path: Path) -> None:
    inside = repository / "services/one/flows/train"
    (found,) = find_projects(inside)
    assert (found.root, found.name, found.repository) == (repository / "services/one", "", repository)
    assert [project.name for project in find_projects(repository / "services")] == ["one", "two"]
    with pytest.raises(NoProject, match=r"no obproject\.toml in"):
        find_projects(tmp_path)
    write(repository, {"obproject.toml": 'project = "p"\n'})
    with pytest.raises(NoProject, match="one project or holds several"):
        find_projects(repository)
    write(tmp_path, {"obproject_multi.toml": ""})
    with pytest.raises(NoProject, match="one repository has one at most"):
        find_projects(inside)
