"""Masking of values."""
