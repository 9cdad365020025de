"""The pure core: values in, values out (invariant 10)."""
