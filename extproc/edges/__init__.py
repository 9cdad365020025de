"""Thin adapters between the core and the world; no edge imports another."""
