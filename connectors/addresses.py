"""Learners' addresses: one form for all places where two of them are compared."""


def fold(address: str) -> str:
    """The form in which an address is known everywhere: without blanks around it, in lower case."""
    return address.strip().lower()
