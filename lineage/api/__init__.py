"""The lineage part of the v1 API."""
