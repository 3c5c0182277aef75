"""What comes before a command or the server does its work, and what is said if it can't.

versions   the version of this code, and the migrations that a database has and this code lacks
faults     a database that can't be used, in a sentence
readiness  the site's folder, a database that is away for a moment
locks      files that processes lock beside an SQLite database
migrating  one process at a time migrates a database, and none that is older than it
serving    whether a server runs with a database
"""
