"""The policy room: one file in, one decision per question out."""
