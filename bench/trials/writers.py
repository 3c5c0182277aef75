"""Writers that register as clients do: one key for each registration, which is sent until it is answered."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests

BRANCH = "v1/perimeters/default/projects/trial/branches/main"
ASSET = f"{BRANCH}/data/rows"
PATIENCE = 90.0
"""Seconds for which one registration is tried."""


@dataclass
class Outcome:
    """The numbers that were acknowledged, the answers of all tries, and how long each registration took, in seconds."""

    numbers: list[int] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def without_gap(self, before: int = 0) -> bool:
        return sorted(self.numbers) == list(range(before + 1, before + 1 + len(self.numbers)))


def register(
    url: str, count: int, writers: int, meanwhile: Callable[[Outcome], None] = lambda outcome: None
) -> Outcome:
    """So many registrations on one asset by so many writers; `meanwhile` runs beside them, and is waited for."""
    outcome, lock = Outcome(), threading.Lock()

    def one(_: int) -> None:
        number, seconds = _register(url, outcome, lock)
        with lock:
            outcome.seconds.append(seconds)
            outcome.numbers += [number] if number else []

    with ThreadPoolExecutor(writers) as pool:
        beside = threading.Thread(target=meanwhile, args=(outcome,))
        beside.start()
        list(pool.map(one, range(count)))
        beside.join()
    return outcome


def _register(url: str, outcome: Outcome, lock: threading.Lock) -> tuple[int | None, float]:
    """The number that was acknowledged, None if there was none in time; and the seconds that it took."""
    entity = {"entity_kind": "task", "entity_id": f"TrialFlow/{uuid.uuid4().hex}/end/1"}
    body = {"entity_ref": entity, "data_asset_kind": "table", "annotations": {"rows": 1}}
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    begin = time.monotonic()
    while time.monotonic() - begin < PATIENCE:
        answer, wait = "no connection", 0.5
        try:
            response = requests.patch(f"{url}/{ASSET}", json=body, headers=headers, timeout=20)
            answer, wait = str(response.status_code), float(response.headers.get("Retry-After", wait))
            if response.status_code == 503:
                answer += f" {response.json()['message']}"
        except requests.RequestException:
            response = None
        with lock:
            outcome.answers[answer] += 1
        if response is not None and response.ok:
            return response.json()["number"], time.monotonic() - begin
        if response is not None and response.status_code < 500:
            break
        time.sleep(wait)
    return None, time.monotonic() - begin


def numbers_kept(url: str) -> list[int]:
    """The numbers of all instances that the catalogue has."""
    kept: list[int] = []
    query: dict[str, str] = {"page_size": "200"}
    while True:
        answer = requests.get(f"{url}/{ASSET}", params=query, timeout=20).json()
        kept += [int(instance["number"]) for instance in answer["recent_instances"]]
        if not answer.get("continuation"):
            return sorted(kept)
        query["continuation"] = answer["continuation"]
