"""Sets of words, written as text."""

__all__ = ["wordset"]


def wordset(words: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(words.split())
