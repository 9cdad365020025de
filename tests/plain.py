"""Clients of plain HTTP, and how long they wait."""

import ssl
from typing import Final

__all__ = ["NO_AUTHORITY", "PATIENCE"]

NO_AUTHORITY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""It trusts nobody. What is spoken to over plain HTTP needs none, and to read the certificates of the world for each
client that is opened takes longer than most of what the client is for."""
PATIENCE: Final = 60.0
"""Seconds that anything may take that is expected to come: twenty times what it takes where nobody else is at work."""
