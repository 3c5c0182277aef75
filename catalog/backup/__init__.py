"""A catalogue in one file, taken while it is written to, and brought back.

file        what a backup is: a zip of a manifest and a dump
sqlite      the dump of an SQLite database: the database itself
postgresql  that of a PostgreSQL database, by its own programs

Not in it is what is no row of the database: settings, the secret key, cached cards, and all that Metaflow keeps.
"""
