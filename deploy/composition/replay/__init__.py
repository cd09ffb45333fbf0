"""Replays: history through the same fold, into the same tables, under another run."""
