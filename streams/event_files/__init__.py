"""Files of events: what a replay can read besides the archive, and what the archive can be exported to."""

from streams.event_files.event_file import Meaning
from streams.event_files.report import FileReport, LeftOut
from streams.event_files.source import FileSource, open_event_files

__all__ = ["FileReport", "FileSource", "LeftOut", "Meaning", "open_event_files"]
