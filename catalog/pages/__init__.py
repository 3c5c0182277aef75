"""The pages: each shows a part of the catalogue and has a `.json` twin; none writes anything."""
