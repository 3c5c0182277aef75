"""Flows compiled for Argo Workflows, with an object store that takes their code packages, and without a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from tests.places import CHECKOUT

_BUCKET = "flows"
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")
_FLOW = (sys.executable, "flow.py", "--no-pylint", "--datastore", "s3")
ROLE = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
"""What lets a process use the object store."""

Template = dict[str, Any]


@contextmanager
def object_store() -> Iterator[str]:
    """Serve an S3 endpoint with a bucket for Metaflow; yield its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    _client(url).create_bucket(Bucket=_BUCKET)
    try:
        yield url
    finally:
        server.stop()


def stored(object_store: str, address: str) -> bytes:
    """Return what is stored under ``bucket/key``."""
    bucket, _, key = address.partition("/")
    content: bytes = _client(object_store).get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def _client(url: str) -> Any:
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    return boto3.client("s3", endpoint_url=url, **keys)


def compiled(folder: Path, object_store: str, *options: str, **more: str) -> tuple[Template, str]:
    """Compile ``flow.py`` of a folder as user alice; return the template, and what was said meanwhile.

    ``options`` stand before the command, ``more`` is added to the environment.
    """
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env |= {
        "PYTHONPATH": str(CHECKOUT),
        "METAFLOW_USER": "alice",
        "METAFLOW_HOME": str(folder / "no-configuration"),
        "METAFLOW_S3_ENDPOINT_URL": object_store,
        "METAFLOW_DATASTORE_SYSROOT_S3": f"s3://{_BUCKET}/metaflow",
    }
    done = subprocess.run(
        [*_FLOW, *options, "argo-workflows", "create", "--only-json"],
        cwd=folder,
        env=env | ROLE | more,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr
