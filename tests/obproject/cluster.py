"""As much of a Kubernetes cluster as Metaflow's commands for Argo Workflows see: its API, keeping what it is given."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Cluster:
    """The objects in the cluster, by kind and name; ``refuses`` names those that it does not take."""

    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)

    def templates(self) -> list[str]:
        """Names of the workflow templates."""
        return sorted(name for kind, name in self.objects if kind == "workflowtemplates")

    def template(self, name: str) -> dict[str, Any]:
        return self.objects["workflowtemplates", name]


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[Cluster, dict[str, str]]]:
    """Serve an empty cluster; yield it with the settings to reach it."""
    found = Cluster()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, name = self._address()
            self._answer(found.objects.get((kind, name)))

        def do_POST(self) -> None:
            kind, _ = self._address()
            self._keep(kind, self._body())

        def do_PUT(self) -> None:
            kind, _ = self._address()
            self._keep(kind, self._body())

        def do_DELETE(self) -> None:
            self._body()
            self._answer(found.objects.pop(self._address(), None))

        def _keep(self, kind: str, body: dict[str, Any]) -> None:
            name = body["metadata"]["name"]
            if name in found.refuses:
                self._answer({"message": f"{name} is not welcome"}, status=403)
                return
            body["metadata"]["resourceVersion"] = "1"
            found.objects[kind, name] = body
            self._answer(body)

        def _address(self) -> tuple[str, str]:
            kind, _, name = self.path.partition("?")[0].partition("/namespaces/default/")[2].partition("/")
            return kind, name

        def _body(self) -> dict[str, Any]:
            return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")

        def _answer(self, answer: dict[str, Any] | None, status: int = 200) -> None:
            payload = json.dumps({"message": "not found"} if answer is None else answer).encode()
            self.send_response(404 if answer is None else status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        config = folder / "kubeconfig.json"
        address = {"server": f"http://127.0.0.1:{httpd.server_port}"}
        config.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "c", "cluster": address}],
                    "users": [{"name": "u", "user": {}}],
                    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                    "current-context": "x",
                }
            )
        )
        yield found, {"KUBECONFIG": str(config)}
        httpd.shutdown()
        thread.join()
