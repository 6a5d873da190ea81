"""Reads returned lists: inspects the file, finds the list in it, and explains each row."""
