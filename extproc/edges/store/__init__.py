"""State that the workers of a node share."""
