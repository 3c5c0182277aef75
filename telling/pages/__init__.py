"""Pages on which admins set up what is told."""
