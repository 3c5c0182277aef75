"""When the next version of an asset is expected, and from when it is late: declared, or learned from those before.

    declared.py  `[freshness]` of an asset: what may stand there, when the next one is due by it
    learning.py  times of versions → when the next one is due, late and dormant, and how that is known
    state.py     these moments and now → off, learning, fresh, due, late or dormant; in Python and in SQL
    words.py     sentences about it, for pages, the API and messages; the TOML that declares what was learned

Pure: no database; of Django only the words of states, and in `state.py` the expression in SQL. Writes keep the moments
in columns of the asset, the background learns them anew. docs/freshness.md says it to users.
"""
