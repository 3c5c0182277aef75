"""A small catalogue in memory that speaks the wire of ``docs/wire.md``, for tests of the client alone.

It keeps every request it gets, and answers the next ones with what ``answer_next`` was given, so that tests can see
what the client sends and how it takes bad answers.
"""

from __future__ import annotations

import itertools
import json
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from obproject.branches import branch_key
from obproject.references import ReferenceKind, parse_reference


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: dict[str, Any] | None
    client_port: int


@dataclass
class Canned:
    """An answer given instead of the catalogue's own."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    delay: float = 0.0


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str, detail: dict[str, Any]) -> None:
        self.status = status
        self.answer = {"error": code, "message": message, "detail": detail}


class StubCatalogue:
    """The catalogue: ``assets[perimeter, project, branch key, "data", id]`` is the list of instances, oldest first."""

    def __init__(self) -> None:
        self.assets: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        self.properties: dict[tuple[str, ...], dict[str, str]] = {}
        self.aliases: dict[tuple[str, ...], dict[str, int]] = {}
        self.gates: dict[str | None, dict[str, Any]] = {}
        """The aliases that no instance is good enough for, each with the answer; None for promotions into a branch."""
        self.knows_gates = True
        self.gate_problems: list[dict[str, Any]] = []
        self.looked_back: list[dict[str, Any]] = []
        """What it says of gates that are not declared yet: what is wrong with them, or what they would have done."""
        self.declared_gates: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []
        """The requests for approval."""
        self.held: set[str] = set()
        """The assets that an alias with gates keeps from being deleted."""
        self.specs: dict[tuple[str, ...], dict[str, Any]] = {}
        self.consumptions: list[dict[str, Any]] = []
        self.confirmations: list[dict[str, Any]] = []
        self.requests: list[Request] = []
        self.canned: list[Canned] = []
        self.page_size = 50
        self.takes_many = False
        """Whether it knows the request that registers many; it refuses those whose asset is called `refused`."""
        self.url = ""
        self._keys: dict[str, dict[str, Any]] = {}
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def answer_next(self, *answers: Canned) -> None:
        self.canned.extend(answers)

    def of(self, method: str, ending: str = "") -> list[Request]:
        return [request for request in self.requests if request.method == method and request.path.endswith(ending)]

    def answer(self, request: Request) -> Canned:
        with self._lock:
            self.requests.append(request)
            if self.canned:
                return self.canned.pop(0)
            try:
                status, body = 200, self._route(request)
            except Refused as refusal:
                status, body = refusal.status, refusal.answer
            return Canned(status, json.dumps(body).encode())

    def _route(self, request: Request) -> dict[str, Any]:
        match [unquote(segment) for segment in request.path.split("/")[1:]]:
            case ["v1", "perimeters", _, "confirmations"]:
                return self._confirm(request.body or {})
            case ["v1", "perimeters", perimeter, "projects", project, "branches", branch, *rest]:
                return self._in_branch(request, (perimeter, project, branch_key(branch)), rest)
        raise Refused(404, "not_found", "No such page", {})

    def _in_branch(self, request: Request, scope: tuple[str, ...], rest: list[str]) -> dict[str, Any]:
        match request.method, rest:
            case "GET", ["latestflowproject"]:
                if scope not in self.specs:
                    raise Refused(404, "not_found", "No spec was posted", {"branch": scope[-1]})
                return self.specs[scope]
            case "GET", ["data" | "models" as kind]:
                return self._list(scope, kind, request.query)
            case "POST", ["registrations"] if self.takes_many:
                sent = (request.body or {})["registrations"]
                return {"registrations": [self._one_of_many(scope, one, request) for one in sent]}
            case "PATCH", [kind, asset]:
                annotations = (request.body or {}).get("annotations") or {}
                if None in self.gates and "promoted_from_instance" in annotations:
                    raise Refused(422, **self.gates[None])
                return self._register((*scope, kind, asset), request)
            case "POST", ["gates", "check"] if self.knows_gates:
                if self.gate_problems:
                    message = "gates.production.require: can't be parsed"
                    raise Refused(400, "bad_request", message, {"problems": self.gate_problems})
                return {"definitions": self.looked_back}
            case "POST", ["gates", "check"]:
                raise Refused(404, "not_found", "There is nothing at this address", {})
            case "POST", ["deploys"]:
                names = [f"{one['kind']}/{one['id']}" for one in (request.body or {})["definitions"]]
                gated = {"gated": names, "timezone": "UTC"} if self.knows_gates else {}
                return {"created": names, "updated": [], "unchanged": [], "overridden": [], "url": "/p/", **gated}
            case "POST", [kind, asset, "aliases", alias, "check"]:
                self._find(self._known((*scope, kind, asset)), (request.body or {})["instance_id"])
                return self._check(alias)
            case "POST", [kind, asset, "promotions", "check"]:
                return self._check(None)
            case "POST", [kind, asset, "requests"] if (request.body or {}) in self.asked:
                number = self.asked.index(request.body or {}) + 1
                raise Refused(409, "conflict", "Somebody has asked for the same already", {"request": number})
            case "GET", [kind, asset, "requests", number]:
                return {"request": {"id": int(number), "url": f"{self.url}/requests/{number}"}}
            case "POST", [kind, asset, "requests"]:
                self.asked.append(request.body or {})
                return {"request": {"id": len(self.asked), "url": f"{self.url}/requests/{len(self.asked)}"}}
            case "PUT", [kind, asset, "aliases", alias]:
                return self._set_alias(self._known((*scope, kind, asset)), alias, request.body or {})
            case "GET", [kind, asset]:
                return self._summary(self._known((*scope, kind, asset)), request.query)
            case "DELETE", [kind, asset] if asset in self.held:
                message = f"The asset {asset!r} stays: @production has gates, and points to it."
                raise Refused(422, "held_by_gated_alias", message, {"asset": asset, "aliases": ["production"]})
            case "DELETE", ["flowprojects"]:
                return {}
            case "DELETE", [kind, asset]:
                del self.assets[self._known((*scope, kind, asset))]
                return {}
            case "GET", [kind, asset, "instances", reference]:
                return self._find(self._known((*scope, kind, asset)), reference, *request.query.get("state", []))
            case "PUT" | "DELETE", [kind, asset, "instances", reference, "deprecation"]:
                found = self._find(self._known((*scope, kind, asset)), reference)
                reason = (request.body or {}).get("reason")
                found["deprecated"] = {"reason": reason, "at": "2026-11-28T18:02:00Z", "by": "ann"} if reason else None
                return found
            case "PUT", [kind, asset, "instances", reference]:
                found = self._find(self._known((*scope, kind, asset)), reference)
                self.consumptions.append({"instance": found["id"], **(request.body or {})})
                return found | {"consumed_at": datetime.now(UTC).isoformat()}
        raise Refused(405, "method_not_allowed", "No such method", {})

    def _known(self, key: tuple[str, ...]) -> tuple[str, ...]:
        if key not in self.assets and key not in self.properties:
            other = "models" if key[-2] == "data" else "data"
            exists = {"exists_as": other} if (*key[:-2], other, key[-1]) in self.assets else {}
            raise Refused(404, "not_found", f"There is no asset {key[-1]!r}", {"asset": key[-1], **exists})
        return key

    def _register(self, key: tuple[str, ...], request: Request) -> dict[str, Any]:
        sent, idempotency_key = request.body or {}, request.headers["idempotency-key"]
        if idempotency_key in self._keys:
            return self._keys[idempotency_key]
        kind = "data" if key[-2] == "data" else "model"
        earlier = self.assets.setdefault(key, [])
        number = len(earlier) + 1
        instance = {
            "id": sent.get("id") or f"i{next(self._ids)}",
            "number": number,
            "ref": f"v{number}",
            "state": sent.get("state", "ready"),
            "attempt": sent.get("attempt"),
            "datastore": sent.get("datastore"),
            "description": sent.get("description", ""),
            "asset": {"id": key[-1], "name": key[-1], "kind": kind, "properties": self.properties.get(key, {})},
            "created_at": datetime.now(UTC).isoformat(),
            "created_by": sent["entity_ref"],
            f"{kind}_properties": {
                f"{kind}_kind": sent[f"{kind}_asset_kind"],
                "annotations": sent.get("annotations", {}),
                "blobs": sent.get("blobs", []),
            },
            "tags": sent.get("tags", []),
            "aliases": [],
            "url": f"{self.url}/{key[0]}/{key[1]}/{key[2]}/{key[3]}/{key[4]}/v{number}",
        }
        earlier.append(instance)
        self._keys[idempotency_key] = instance
        return instance

    def _check(self, alias: str | None) -> dict[str, Any]:
        if not self.knows_gates:
            raise Refused(404, "not_found", "There is nothing at this address", {})
        rules = self.gates[alias]["detail"]["rules"] if alias in self.gates else []
        outcome = "refused" if rules else "passed"
        return {"passes": not rules, "outcome": outcome, "rules": rules, "revision": None}

    def _set_alias(self, key: tuple[str, ...], alias: str, sent: dict[str, Any]) -> dict[str, Any]:
        if alias in self.gates:
            raise Refused(422, **self.gates[alias])
        target = self._find(key, sent["instance_id"])
        before = next((one["id"] for one in self.assets[key] if alias in one["aliases"]), "")
        for instance in self.assets[key]:
            others = [other for other in instance["aliases"] if other != alias]
            instance["aliases"] = [*others, *([alias] if instance is target else [])]
        self.aliases.setdefault(key, {})[alias] = target["number"]
        move = {"alias_name": alias, "instance_id": target["id"], "previous_instance_id": before}
        move |= {"updated_at": datetime.now(UTC).isoformat(), "updated_by": sent["entity_ref"]}
        return {"alias": {"name": alias, "recent_history": [move], **move}}

    def _one_of_many(self, scope: tuple[str, ...], sent: dict[str, Any], request: Request) -> dict[str, Any]:
        if sent["asset"] == "refused":
            return {"status": 400, "answer": {"error": "bad_request", "message": "No.", "detail": {"field": "tags"}}}
        alone = replace(request, body=sent, headers={"idempotency-key": sent["id"]})
        return {"status": 201, "answer": self._register((*scope, sent["kind"], sent["asset"]), alone)}

    def _ready(self, key: tuple[str, ...], state: str = "ready") -> list[dict[str, Any]]:
        return [found for found in reversed(self.assets.get(key, [])) if found["state"] == state]

    def _definition(self, key: tuple[str, ...]) -> list[dict[str, Any]]:
        if key not in self.properties:
            return []
        kind = "data" if key[-2] == "data" else "model"
        return [
            {
                "id": f"definition-of-{key[-1]}",
                "number": None,
                "ref": "definition",
                "state": "ready",
                "asset": {"id": key[-1], "kind": kind, "properties": self.properties[key]},
                "created_at": "2026-01-23T08:35:51Z",
                "created_by": {"entity_kind": "ci", "entity_id": "obproject-deploy"},
                f"{kind}_properties": {f"{kind}_kind": kind, "annotations": dict(self.properties[key]), "blobs": []},
                "tags": [],
            }
        ]

    def _find(self, key: tuple[str, ...], text: str, state: str = "ready") -> dict[str, Any]:
        reference, instances = parse_reference(text), self.assets.get(key, [])
        match reference.kind:
            case ReferenceKind.LATEST:
                definition = self._definition(key) if state == "ready" else []
                found = (self._ready(key, state) or definition)[reference.offset : reference.offset + 1]
            case ReferenceKind.NUMBER:
                found = [instance for instance in instances if instance["number"] == reference.number]
            case ReferenceKind.ALIAS:
                number = self.aliases.get(key, {}).get(reference.alias)
                found = [instance for instance in instances if instance["number"] == number]
            case ReferenceKind.ID:
                found = [instance for instance in instances if instance["id"] == reference.id]
        if not found:
            raise Refused(404, "not_found", f"There is no instance {text!r}", {"instance": text})
        return found[0]

    def _summary(self, key: tuple[str, ...], query: dict[str, list[str]]) -> dict[str, Any]:
        ready, start = self._ready(key), int(query.get("continuation", ["0"])[0])
        end = start + min(self.page_size, int(query.get("page_size", [str(self.page_size)])[0]))
        return {
            "asset": {"id": key[-1], "properties": self.properties.get(key, {})},
            "gates": {"declared": self.declared_gates} if self.declared_gates else None,
            "recent_instances": ready[start:end] or self._definition(key),
            "continuation": str(end) if end < len(ready) else None,
            "recently_produced_by": [],
            "recently_consumed_by": [],
        }

    def _list(self, scope: tuple[str, ...], kind: str, query: dict[str, list[str]]) -> dict[str, Any]:
        wanted = [tuple(text.split("=", 1)) for text in query.get("tag", [])]
        items = []
        for key in sorted(key for key in {*self.assets, *self.properties} if key[:-1] == (*scope, kind)):
            latest = next(iter(self._ready(key) or self._definition(key)), None)
            tags = {(tag["key"], tag["value"]) for tag in (latest or {}).get("tags", [])}
            if tags.issuperset(wanted):
                asset = {"id": key[-1], "kind": "data" if kind == "data" else "model"}
                asset |= {
                    "display_name": key[-1],
                    "description": "",
                    "icon": None,
                    "properties": self.properties.get(key, {}),
                }
                items.append({"asset": asset, "latest_instance": latest, "tags": []})
        start = int(query.get("continuation", ["0"])[0])
        end = start + self.page_size
        return {"items": items[start:end], "continuation": str(end) if end < len(items) else None}

    def _confirm(self, sent: dict[str, Any]) -> dict[str, Any]:
        self.confirmations.append(sent)
        for instance in itertools.chain.from_iterable(self.assets.values()):
            if (
                instance["created_by"] == sent["entity_ref"]
                and instance["attempt"] == sent["attempt"]
                and instance["state"] == "pending"
            ):
                instance["state"] = sent["state"]
        return {"confirmed": []}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    catalogue: StubCatalogue

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        canned = self.catalogue.answer(
            Request(
                method=self.command,
                path=parts.path,
                query=parse_qs(parts.query),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=json.loads(body) if body else None,
                client_port=self.client_address[1],
            )
        )
        if canned.delay:
            threading.Event().wait(canned.delay)
        try:
            self.send_response(canned.status)
            for name, value in canned.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(canned.body)))
            self.end_headers()
            self.wfile.write(canned.body)
        except ConnectionError:
            self.close_connection = True

    do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = _handle

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the output of the tests free of access logs."""


class StubServer:
    """Serves a StubCatalogue on a free loopback port: ``with StubServer() as catalogue: ...``."""

    def __init__(self, port: int = 0) -> None:
        self._port = port

    def __enter__(self) -> StubCatalogue:
        catalogue = StubCatalogue()
        handler = type("Handler", (_Handler,), {"catalogue": catalogue})
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), handler)
        self._server.daemon_threads = True
        catalogue.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return catalogue

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
