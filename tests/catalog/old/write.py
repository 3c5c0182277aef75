"""How the catalogues beside this file were made: the server of an old version, its API, and a dump of what it kept.

Run it by hand, once for each version, with the commit that `VERSIONS` names checked out in a folder of its own, and
the environment that the Makefile of that commit sets up (`make .venv/.serve`):

    git clone . ../old && git -C ../old checkout 050a6d2 && make -C ../old .venv/.serve
    .venv/bin/python -m tests.catalog.old.write 0.1 ../old

It writes `0.1.sqlite.sql` and, if PostgreSQL is installed, `0.1.postgresql.sql`. The content is the same each time, but
for times and the ids that the server gives out. What a version could not do yet is left out for it.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.on_postgres import cluster, programs

HERE = Path(__file__).parent
VERSIONS = {"0.1": "050a6d2", "0.2": "1b83494", "0.3": "40e4ac8"}
PORT = 8765
NOWHERE = "i_" + "0" * 20
"""The source of a promotion that the catalogue never had."""
NOISE = ("auth_permission", "django_admin_log", "django_content_type", "django_session")
"""Tables whose rows say nothing of the catalogue; `migrate` fills two of them again."""

Json = dict[str, Any]


class Writer:
    """Writes as clients of the version do, to a site with this address."""

    def __init__(self, version: str, site: str) -> None:
        self.site = site
        self.has_ids = self.has_highlights = version >= "0.3"
        self.given = 0

    def call(self, method: str, path: str, body: Json | None = None, **headers: str) -> Any:
        answer = requests.request(
            method, f"{self.site}/v1/perimeters/default/{path}", json=body, headers=headers, timeout=10
        )
        assert answer.ok, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def id(self, prefix: str) -> Json:
        """An id of the client's own, where the version takes one."""
        self.given += 1
        return {"id": f"{prefix}_{self.given:020x}"} if self.has_ids else {}

    def register(self, place: str, task: str, *, tags: Json | None = None, **more: Any) -> str:
        """Register an instance and answer its id."""
        kind = "data_asset_kind" if "/data/" in place else "model_asset_kind"
        body = {"entity_ref": entity(task), kind: "artifact", **self.id("i"), **more}
        body["tags"] = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        return str(self.call("PATCH", f"projects/{place}", body)["id"])

    def promote(self, place: str, task: str, source: str, **more: Any) -> str:
        annotations = {"promoted_from_instance": source, "promoted_from_branch": "feature/x"}
        return self.register(place, task, annotations=annotations, **more)

    def consume(self, place: str, task: str, reference: str = "latest", branch: str = "") -> None:
        body = {"entity_ref": entity(task), **self.id("c")}
        if branch:
            body["consumer"] = {"project": place.partition("/")[0], "branch": branch}
        self.call("PUT", f"projects/{place}/instances/{reference}", body)

    def confirm(self, task: str, attempt: int, state: str, **more: Any) -> None:
        self.call("POST", "confirmations", {"entity_ref": entity(task), "attempt": attempt, "state": state, **more})

    def alias(self, place: str, name: str, instance: str) -> None:
        body = {"entity_ref": entity("Promote/1/end/1"), "instance_id": instance, **self.id("a")}
        self.call("PUT", f"projects/{place}/aliases/{name}", body)

    def deploy(self, branch: str, version: str, *definitions: Json) -> None:
        listed = [{"id": row["id"], "description": row["description"]} for row in definitions if row["kind"] == "data"]
        body = {
            "entity_ref": {"entity_kind": "ci", "entity_id": "obproject-deploy"},
            "branch_name": branch,
            "version_id": version,
            "spec": {"title": "Churn", "data": listed, "models": [], "workflows": [{"name": "TrainFlow"}]},
            "definitions": list(definitions),
        }
        self.call("POST", f"projects/churn/branches/{branch.replace('/', '_')}/deploys", body)

    def highlight(self, branch: str, task: str, title: str) -> None:
        content = {
            "title": title,
            "labels": ["new"],
            "synopsis": ["**AUC** 0.91"],
            "highlight_type": "columns",
            "highlight_body": [{"big": "0.91", "small": "AUC"}],
        }
        body = {"entity_ref": entity(task), "attempt": 0, "content": content, **self.id("h")}
        self.call("POST", f"projects/churn/branches/{branch}/highlights", body)

    def override(self, asset: int, key: str, value: str) -> None:
        """Set a property in the administration, as a person does."""
        page = f"{self.site}/admin/catalog/asset/{asset}/change/"
        with requests.Session() as person:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', person.get(page, timeout=10).text)
            assert token
            form = {"csrfmiddlewaretoken": token[1], "overrides-TOTAL_FORMS": "1", "overrides-INITIAL_FORMS": "0"}
            form |= {"overrides-0-key": key, "overrides-0-value": value, "overrides-0-asset": str(asset)}
            answer = person.post(page, form, timeout=10, allow_redirects=False)
            assert answer.status_code == requests.codes.found, answer.text


def entity(text: str) -> Json:
    """A task, or another kind of entity: `user:eve`."""
    kind, colon, name = text.partition(":")
    return {"entity_kind": kind, "entity_id": name} if colon else {"entity_kind": "task", "entity_id": text}


def definition(kind: str, asset_id: str, **properties: str) -> Json:
    return {
        "kind": kind,
        "id": asset_id,
        "name": f"The {asset_id}",
        "description": f"What {asset_id} is.",
        "properties": properties,
        "tags": {"team": "churn"},
        "readme": f"# {asset_id}",
        "source": f"{kind}/{asset_id}/asset_config.toml",
    }


def fill(writer: Writer) -> None:
    """About thirty instances in two projects on four branches, with everything that a catalogue can have of them."""
    main, branch = "churn/branches/main", "churn/branches/feature_x"
    features, model, scores = f"{main}/data/features", f"{main}/models/churn", f"{main}/data/scores"
    named = {"branch_name": "feature/x"}
    writer.deploy("main", "sha1", definition("data", "features", owner="ada"), definition("models", "churn", rate="1"))
    writer.deploy("feature/x", "sha2", definition("models", "churn", rate="2"))
    # three runs of a chain of flows
    trained = []
    for run in (1, 2, 3):
        writer.register(features, f"FeatureFlow/{run}/build/1", tags={"day": str(run)}, attempt=0)
        writer.consume(features, f"TrainFlow/{run}/start/1", branch="main")
        annotations = {"auc": 0.9 + run / 100, "epochs": run}
        trained.append(writer.register(model, f"TrainFlow/{run}/train/2", annotations=annotations, attempt=0))
        writer.consume(model, f"ScoreFlow/{run}/score/1", f"v{run}")  # another client: its write branch is unknown
        writer.register(scores, f"ScoreFlow/{run}/score/1", tags={"env": "prod"}, description=f"Run {run}")
    # an experiment on a branch that reads from main, and what was promoted from it
    tried = []
    for run in (10, 11):
        writer.consume(features, f"TrainFlow/{run}/start/1", "v2", branch="feature/x")
        tried.append(writer.register(f"{branch}/models/churn", f"TrainFlow/{run}/train/2", attempt=0, **named))
    copies = [writer.promote(model, f"TrainFlow/{run}/train/2", one) for run, one in zip((10, 11), tried, strict=True)]
    again = writer.promote("churn/branches/user.ada/models/churn", "TrainFlow/11/train/2", copies[1])
    writer.promote(model, "TrainFlow/99/train/2", NOWHERE)
    # aliases set, moved and deleted
    for instance in (trained[0], trained[2], copies[0]):
        writer.alias(model, "production", instance)
    writer.alias(model, "candidate", copies[1])
    writer.alias("churn/branches/user.ada/models/churn", "mine", again)
    writer.call("DELETE", f"projects/{model}/aliases/candidate")
    # readers of other kinds; of a definition that has no instance
    writer.consume(model, "deployment:scoring-api", "@production", branch="main")
    writer.consume(scores, "user:eve", "latest")
    writer.register(f"{main}/data/notes", "user:eve", tags={"by": "hand"})
    writer.deploy(
        "main", "sha3", definition("data", "features", owner="eve"), definition("models", "churn", rate="3"),
        definition("data", "planned", owner="ada"),
    )  # fmt: skip
    writer.consume(f"{main}/data/planned", "PlanFlow/1/start/1", branch="main")
    # attempts: a failed one, one that was superseded, some that are pending
    writer.register(scores, "ScoreFlow/4/score/1", state="pending", attempt=0)
    writer.confirm("ScoreFlow/4/score/1", 0, "failed", reason="The disk was full.")
    writer.register(scores, "ScoreFlow/4/score/1", state="pending", attempt=1)
    writer.confirm("ScoreFlow/4/score/1", 1, "ready")
    writer.register(features, "FeatureFlow/4/build/1", attempt=0)
    writer.register(features, "FeatureFlow/4/build/1", attempt=1)
    writer.register(features, "FeatureFlow/5/build/1", state="pending", attempt=0)
    writer.register(model, "TrainFlow/5/train/2", state="pending", attempt=0)
    # a deletion of what was promoted, and a name that is used again
    comics = "comics/branches/main"
    strips = writer.register(f"{comics}/data/xkcd", "ComicData/1/start/1", tags={"img": "1"})
    writer.register(f"{comics}/data/xkcd", "ComicData/2/start/1", tags={"img": "2"})
    writer.consume(f"{comics}/data/xkcd", "Reader/1/start/1", branch="main")
    writer.promote(f"{comics}/data/best", "ComicData/1/start/1", strips)
    writer.alias(f"{comics}/data/xkcd", "best", strips)
    writer.call("DELETE", f"projects/{comics}/data/xkcd")
    writer.register(f"{comics}/data/xkcd", "ComicData/3/start/1", tags={"img": "3"})
    writer.consume(f"{comics}/data/xkcd", "Reader/2/start/1", branch="main")
    writer.override(1, "owner", "olga")
    if writer.has_highlights:
        for run, title in enumerate(("Better", "Better still"), 1):
            writer.highlight("main", f"TrainFlow/{run}/train/2", title)
        writer.highlight("main", "ScoreFlow/3/score/1", "Scored")
        writer.highlight("feature_x", "TrainFlow/11/train/2", "Promising")


@contextmanager
def served(checkout: Path, home: Path, database: str) -> Iterator[None]:
    """The server of the old version on an empty database, of which nothing is told of this machine."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "ASSETSITE_HOME": str(home), "DATABASE_URL": database}
    env |= {"LOGNAME": "ada", "ASSETSITE_RECONCILE_MINUTES": "0"}
    command = [checkout.resolve() / ".venv/bin/python", "manage.py", "serve", "--port", str(PORT)]
    process = subprocess.Popen(command, cwd=checkout, env=env)
    try:
        for _ in range(300):
            try:
                requests.get(f"http://127.0.0.1:{PORT}/healthz", timeout=2).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def of_sqlite(path: Path) -> Iterator[str]:
    with closing(sqlite3.connect(path)) as connection:
        yield from connection.iterdump()


def of_postgres(database: str) -> Iterator[str]:
    folder = programs()
    assert folder
    command = [folder / "pg_dump", "--inserts", "--no-owner", "--no-privileges", database]
    yield from subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def told(lines: Iterator[str]) -> str:
    """A dump, one statement a line, without comments, psql's own commands, settings of the session, and noise."""
    noise = re.compile(r"INSERT INTO (public\.|\")?(" + "|".join(NOISE) + r")\b")
    left_out = ("--", "\\", "SET ")
    kept = [line for line in lines if line.strip() and not line.startswith(left_out) and not noise.match(line)]
    return re.sub(r"(?<!;)\n *", " ", "\n".join(kept)) + "\n"


def write(version: str, checkout: Path, database: str, home: Path) -> None:
    with served(checkout, home, database):
        fill(Writer(version, f"http://127.0.0.1:{PORT}"))


def main(version: str, folder: str) -> None:
    checkout = Path(folder)
    home = Path(tempfile.mkdtemp())
    try:
        file = home / "catalogue.sqlite3"
        write(version, checkout, f"sqlite:///{file}", home)
        (HERE / f"{version}.sqlite.sql").write_text(told(of_sqlite(file)))
        if programs():
            with cluster() as url:
                write(version, checkout, url, home)
                (HERE / f"{version}.postgresql.sql").write_text(told(of_postgres(url)))
    finally:
        shutil.rmtree(home)


if __name__ == "__main__":
    main(*sys.argv[1:])
