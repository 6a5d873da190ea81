"""Everything that services tell each other, one module a subject; `contracts.catalogue` is the table of them."""
