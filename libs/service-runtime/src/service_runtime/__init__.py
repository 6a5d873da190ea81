"""What every service runs on, in folders named for patterns.

It knows no service, and of the domain only what `contracts` declares: the council of an envelope, the claims and scopes
of a token, the precedence of simultaneous work, and the attributes of spans.
"""
