"""How the tables write lists of names."""

__all__ = ["listed"]


def listed(*texts: str) -> frozenset[str]:
    """The names in the texts, which stand between spaces."""
    return frozenset(" ".join(texts).split())
