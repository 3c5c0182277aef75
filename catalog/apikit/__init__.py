"""What views of the API share, those of lineage too."""
