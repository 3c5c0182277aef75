"""How lineage answers when the catalogue is large: `python -m bench.large`."""
