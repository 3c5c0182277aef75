"""Where the site keeps its files, unless ASSETSITE_HOME says otherwise."""

from pathlib import Path

from platformdirs import user_data_path

from assetsite import IS_INSTALLED, ROOMS


def default_home() -> Path:
    """In a checkout a folder of it; else where the platform keeps the data of a user's programs."""
    return user_data_path("assetsite", appauthor=False) if IS_INSTALLED else ROOMS / ".assetsite"
