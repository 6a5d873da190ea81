"""A framework's definition as data: words, places, brokerage time, prices and stages of sourcing."""
