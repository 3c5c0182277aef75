"""The cost of the flow side: Metaflow runs flows against a site with an empty database."""
