"""How versions and branches differ, and which is better."""
