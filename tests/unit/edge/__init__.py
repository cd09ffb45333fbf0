"""The edge: what leaves it, and what does not."""
