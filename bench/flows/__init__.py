"""What the flow side costs: flows that Metaflow runs, against a site that is served from an empty database."""
