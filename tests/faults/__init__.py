"""Faults made on purpose: whatever is killed, cut off or fed nonsense, the derived tables say the same."""
