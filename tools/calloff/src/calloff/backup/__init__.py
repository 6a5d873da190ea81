"""Back-up and restore of all databases of a stack, as of one instant."""
