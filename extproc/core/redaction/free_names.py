"""Names of members that are not taken yet."""

from collections.abc import Container

__all__ = ["FreeNames"]


class FreeNames:
    """For one object: two that differ in a masked part alone must not become one."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def free(self, name: str, taken: Container[str], avoided: Container[str] = ()) -> str:
        """The name, with a number behind it where it is taken or to be avoided."""
        free = name
        while free in taken or free in avoided:
            # counted on, not from the beginning: thousands of names may become the same one
            self._numbers[name] = number = self._numbers.get(name, 1) + 1
            free = f"{name}#{number}"
        return free
