"""The way in: bytes of other systems become events or dead letters."""
