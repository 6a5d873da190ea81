"""The rules of the record: what must fit, what is told in plain words, and why somebody did not get a package."""
