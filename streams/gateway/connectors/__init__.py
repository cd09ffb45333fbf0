"""One file (or folder) per kind of source: what it sends becomes drafts of Tieline events."""
