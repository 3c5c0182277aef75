"""Webhooks in the v1 API."""
