"""`assetsite demo`: serve the site, fill it by really running the example projects, and go on serving."""

import os
import signal
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

from examples import demo
from examples.progress import AtWork

PORT = os.environ.get("PORT", "").strip() or "8000"
URL = f"http://127.0.0.1:{PORT}"


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever stops us stops server and flows too
    if not os.environ.get("ASSETSITE_HOME"):
        print("ASSETSITE_HOME is not set; assetsite demo does that by itself.")
        return 1
    if not PORT.isdecimal() or not 0 < int(PORT) < 65536:
        print(f"PORT is {PORT!r}; expected is a whole number from 1 to 65535.")
        return 1
    at_work = AtWork(demo.HOME)
    if port_is_taken():
        print(f"Port {PORT} is taken. Stop what listens there, or choose another: PORT=8080 assetsite demo")
        return 1
    server = subprocess.Popen([sys.executable, "-P", "-m", "assetsite", "serve"], stdout=subprocess.DEVNULL)
    status = 0
    try:
        wait_until_served(server)
        print(f"Open {URL}  (Ctrl-C stops the demo; the next one goes on where it was)", flush=True)
        os.environ["ASSETSITE_URL"] = URL
        status = demo.main(at_work)
        if status == 0:
            at_work.end()
            print(f"\nassetsite is at {URL}  (Ctrl-C stops it; the same command starts it again)")
            print(f"Look first at {URL}{demo.LOOK_AT}", flush=True)
            server.wait()
        elif status == 1:
            print(f"\nWhat is there stays at {URL}  (Ctrl-C stops it; assetsite demo goes on where it was)", flush=True)
            server.wait()
        return status
    except KeyboardInterrupt:
        return status
    finally:
        server.terminate()
        server.wait(timeout=20)


def port_is_taken() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(PORT))) == 0


def wait_until_served(server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise SystemExit("The server did not start; assetsite serve shows why.")
        try:
            with urlopen(f"{URL}/healthz", timeout=2):  # noqa: S310 (our own address)
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise SystemExit("The server did not answer within a minute; assetsite serve shows why.")


if __name__ == "__main__":
    sys.exit(main())
