"""Dead letters: events that cannot be handled park their key until an operator releases or discards them."""
