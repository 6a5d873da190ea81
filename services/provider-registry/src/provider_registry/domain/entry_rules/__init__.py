"""Entry rules of a tier, one module a rule; each says in words whether it is met."""
