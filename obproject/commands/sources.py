"""The settings of the flow side, each with where it comes from, in words.

The values are those of :func:`obproject.settings.find_settings`; the labels follow its order.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from obproject.settings import Settings
from obproject.shipping import carried

BUILT_IN = "default"


@dataclass(frozen=True)
class Setting:
    """One setting: its name, its value as it may be shown, and its source."""

    name: str
    value: str
    source: str


def describe_settings(settings: Settings, *, perimeter_option: str | None, project_file: Path | None) -> list[Setting]:
    """Return the settings in effect. ``project_file`` is the file that names a perimeter, if one does."""
    in_project = str(project_file) if project_file else None
    perimeter_sources = ("--perimeter" if perimeter_option else None, _own("PERIMETER"), _vendor("OBP_PERIMETER"))
    return [
        Setting("url", settings.url or "none", _url_source() or BUILT_IN),
        Setting("token", "set" if settings.headers else "none", _token_source(settings) or BUILT_IN),
        Setting("perimeter", settings.perimeter, _first(*perimeter_sources, in_project) or BUILT_IN),
        Setting("timeout", f"{settings.timeout:g} s", _own("TIMEOUT") or BUILT_IN),
        Setting("retries", str(settings.retries), _own("RETRIES") or BUILT_IN),
        Setting("strict", "on" if settings.strict else "off", _own("STRICT") or BUILT_IN),
        Setting("wait", f"{settings.wait:g} s", _own("WAIT") or BUILT_IN),
    ]


def _url_source() -> str | None:
    return _first(_own("URL"), _vendor("OBP_API_SERVER"), _vendor("OBP_INTEGRATIONS_URL"))


def _token_source(settings: Settings) -> str | None:
    if own := _own("TOKEN"):
        return own
    names = ("METAFLOW_SERVICE_AUTH_KEY", "METAFLOW_SERVICE_HEADERS")
    return _first(*map(_metaflow, names)) if settings.service_headers else None


def _own(name: str) -> str | None:
    """Return where ``ASSETSITE_<name>`` stands: in the environment, Metaflow's configuration or the code package."""
    name = f"ASSETSITE_{name}"
    return _first(_environment(name), _metaflow(f"METAFLOW_{name}"), _carried(name))


def _environment(variable: str) -> str | None:
    return f"{variable} in the environment" if os.environ.get(variable, "").strip() else None


def _metaflow(variable: str) -> str | None:
    # An empty variable of the environment hides what the files say, as it does for Metaflow.
    if variable in os.environ:
        return _environment(variable)
    from metaflow import metaflow_config_funcs

    local = metaflow_config_funcs.METAFLOW_LOCAL_CONFIG or {}
    shared = metaflow_config_funcs.METAFLOW_CONFIG or {}
    if local.get(variable):
        return f"{variable} in .metaflow/config.json"
    return f"{variable} in {configuration_file()}" if shared.get(variable) else None


def _vendor(variable: str) -> str | None:
    from metaflow.metaflow_config_funcs import init_config

    in_file = f"{variable} in {configuration_file()}" if init_config().get(variable) else None
    return _first(_environment(variable), in_file, _carried(variable))


def _carried(variable: str) -> str | None:
    return f"{variable} in the code package" if variable in carried() else None


def configuration_file() -> Path:
    """Return Metaflow's configuration file, which need not exist."""
    profile = os.environ.get("METAFLOW_PROFILE")
    # Without a home folder the `~` stays, as it does for Metaflow
    folder = Path(os.path.expanduser(os.environ.get("METAFLOW_HOME", "~/.metaflowconfig")))  # noqa: PTH111
    return folder / (f"config_{profile}.json" if profile else "config.json")


def _first(*sources: str | None) -> str | None:
    return next(filter(None, sources), None)
