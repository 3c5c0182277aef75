"""What a JSON document is called in annotations."""

from typing import Any

Json = dict[str, Any]
"""A JSON object, as it stands on the wire, in a project spec or in the output of a command."""
