"""Pricing service: price matrices, selected rates, spot prices and purchase orders."""
