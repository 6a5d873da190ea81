"""The rules of the money: pure, with time, ids and numbers as arguments."""
