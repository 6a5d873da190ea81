"""The rules of the search: pure functions over frozen values; time, ids and the market are arguments."""
