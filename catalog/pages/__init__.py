"""The pages: each shows what the catalogue holds, every one has a `.json` twin, and none writes anything."""
