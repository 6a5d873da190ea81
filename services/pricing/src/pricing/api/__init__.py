"""Pricing over HTTP, one module a subject: matrices, selected rates, purchase orders, spot prices."""
