"""Back-up and restore of every database of a stack at one instant."""
