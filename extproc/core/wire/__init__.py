"""The wire: bytes in, one strictly read message or a refusal out. Never decides who may do what."""
