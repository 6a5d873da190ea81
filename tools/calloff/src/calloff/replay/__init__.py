"""`calloff replay`: makes the decisions about a package again from the evidence that audit has of them."""
