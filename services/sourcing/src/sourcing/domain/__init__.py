"""The rules of the search: frozen values, pure functions; time, ids and the market come in as arguments."""
