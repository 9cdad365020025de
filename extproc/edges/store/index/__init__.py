"""The index of recorded sessions: what the journals hold, arranged so that sessions are found without reading them."""
