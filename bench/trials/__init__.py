"""Trials under load and faults: what takes too long for a test. Each is a command, `python -m bench.trials.NAME`.

A trial serves a site of its own, prints what it measured, and ends with status 1 if a promise was broken.
docs/security.md lists them.
"""
