"""The command ``obproject``: look at a set-up and at assets, promote them, take a branch down.

Nothing that flows import loads this package.
"""
