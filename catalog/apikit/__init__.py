"""Shared parts of API views, also for lineage."""
