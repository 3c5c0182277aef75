"""Shared parts of pages, also for lineage: the frame around them, their query, fragments, paging."""
