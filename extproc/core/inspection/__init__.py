"""Inspection: from the text of an argument to facts, pure and capped."""
