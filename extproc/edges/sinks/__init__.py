"""Where copies of records go: one module for each kind of place, behind the port ``Sink``."""
