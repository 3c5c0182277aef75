"""Flows on Apache Airflow, which reads them as files from its folder of DAGs."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path

from obproject.deploy.deployers import Deployer
from obproject.deploy.metaflow_commands import Command, DeployableFlow, DeployerError
from obproject.project.record import metaflow_branch

_CONFIGS_LINE = "CONFIG = "
_CONFIGS_OF_DAG = """
# Metaflow packs the values of Configs with the code; this makes the tasks look there.
CONFIG["file_path"] = __file__
for _state in CONFIG["states"].values():
    _state["operator_args"]["env_vars"].append({{"name": "METAFLOW_FLOW_CONFIG_VALUE", "value": {value!r}}})
"""


class Airflow(Deployer):
    """Apache Airflow, which reads flows as files from its DAGs folder."""

    name = "airflow"
    packages = ("kubernetes",)
    beside_command = "obproject-deploy then adds to each file where its tasks find the values of Configs."

    def lacks(self) -> list[str]:
        reasons = super().lacks()
        if self.dags_folder is None:
            reasons.append("airflow needs the folder of its DAGs: name it with --dags-folder or [deploy] dags_folder")
        elif not self.dags_folder.is_dir():
            reasons.append(f"the folder of Airflow's DAGs, {self.dags_folder}, is no folder")
        return reasons

    def compile(self, flow: DeployableFlow, spec_file: Path) -> str:
        with tempfile.TemporaryDirectory(prefix="obproject-") as folder:
            self._create(flow, spec_file, Path(folder, "dag.py")).run()
        return f"{flow.project}.{metaflow_branch(flow.branch)}.{flow.name}"

    def create(self, flow: DeployableFlow, spec_file: Path) -> Command:
        return self._create(flow, spec_file, self._file_of(flow.project, flow.branch, flow.name))

    def _create(self, flow: DeployableFlow, spec_file: Path, target: Path) -> Command:
        return flow.command(spec_file, self.name, "create", str(target), *self.authorization, *flow.tag_options)

    def deploy(self, flow: DeployableFlow, spec_file: Path) -> str:
        """Write the DAG where Airflow sees it at once, whole."""
        target = self._file_of(flow.project, flow.branch, flow.name)
        draft = target.with_name(f".{target.stem}.draft")
        try:
            printed = self._create(flow, spec_file, draft).run()
            draft.write_text(_with_configs(draft.read_text(encoding="utf-8"), flow.config_names), encoding="utf-8")
            draft.replace(target)
        except OSError as error:
            raise DeployerError(f"can't write {target}: {error.strerror}") from error
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        return printed

    def _delete(self, project: str, branch: str, flow: str) -> None:
        file = self._file_of(project, branch, flow)
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise DeployerError(f"can't delete {file}: {error.strerror}") from error

    def _file_of(self, project: str, branch: str, flow: str) -> Path:
        if self.dags_folder is None:
            raise DeployerError("the folder of Airflow's DAGs is not known: name it with --dags-folder")
        # No name has a hyphen in it, so no two flows share a file.
        stem = "-".join((project, *metaflow_branch(branch).split("."), flow))
        return self.dags_folder / f"{stem}.py"


def _with_configs(dag: str, names: tuple[str, ...]) -> str:
    """Return a DAG whose tasks find the values of the flow's Configs, as Metaflow sees to it for Argo Workflows."""
    before, found, after = dag.partition(f"\n{_CONFIGS_LINE}")
    line, _, rest = after.partition("\n")
    if not found:
        raise DeployerError("Metaflow compiled a DAG of an unknown shape, so its tasks would not find their Configs")
    value = json.dumps({name: f"kv.{name}" for name in ("project_config", "project_deps", "project_spec", *names)})
    return f"{before}{found}{line}\n{_CONFIGS_OF_DAG.format(value=value)}{rest}"
