"""How fast the site is, and whether that depends on how much is in it: `python -m bench`. It is no part of the site."""
