"""A way to the catalogue that is bad: it fails, hangs and loses answers, at random but the same way each time."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

HANGS_FOR = 2.5


class FaultyProxy:
    """Passes requests on to a site, or not: ``with FaultyProxy(site.url) as proxy: ... proxy.url``.

    ``faults`` counts what was done to requests.
    """

    def __init__(self, target: str, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self.faults: Counter[str] = Counter()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = proxy.next_fault()
                if fault == "error before":
                    return self._answer(500, b'{"error": "error", "message": "The proxy failed."}', "application/json")
                if fault == "bad gateway":
                    return self._answer(502, b"<html>Bad gateway</html>", "text/html")
                if fault == "slow":
                    time.sleep(0.2)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                answer = requests.request(self.command, target + self.path, data=body, headers=headers, timeout=30)
                if fault == "hangs":
                    time.sleep(HANGS_FOR)
                if fault in ("hangs", "answer lost"):
                    self.close_connection = True
                    return None
                return self._answer(answer.status_code, answer.content, answer.headers["Content-Type"])

            do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = _handle

            def _answer(self, status: int, body: bytes, content_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Keep the output of the tests free of access logs."""

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def next_fault(self) -> str:
        kinds = ["none", "slow", "error before", "bad gateway", "answer lost", "hangs"]
        with self._lock:
            (fault,) = self._random.choices(kinds, weights=[20, 4, 4, 2, 4, 1])
            self.faults[fault] += 1
            return fault

    def __enter__(self) -> FaultyProxy:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
