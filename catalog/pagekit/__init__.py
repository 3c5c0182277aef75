"""What pages share, those of lineage too: the frame around them, their query, fragments, paging."""
