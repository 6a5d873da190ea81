"""Judges a definition as a whole, explains it in plain English, draws its roads, and compares two definitions."""
