"""The money: price matrices, the rates that providers select, spot prices, purchase orders."""
