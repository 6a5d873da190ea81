"""HTTP routes, one module for each resource: matrices, selected rates, purchase orders, spot prices."""
