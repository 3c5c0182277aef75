"""The pages on which people decide."""
