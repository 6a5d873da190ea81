"""Archive files: verification, and the events of one package in them."""
