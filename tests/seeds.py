"""Seeds as they are given on a command line."""


def seeds(text: str) -> list[int]:
    """Seeds from ``A-B``, both included, or the one that is ``A``."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))
