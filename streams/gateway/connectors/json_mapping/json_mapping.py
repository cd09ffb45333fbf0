"""Any JSON that a mapping file explains."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from streams.gateway.connectors.connector import Context, Delivery
from streams.gateway.connectors.json_mapping.mapping import PayloadMapping
from streams.gateway.connectors.json_mapping.options import JsonOptions, mapping_of
from streams.gateway.connectors.json_mapping.reader import PayloadReader
from streams.gateway.edge.draft import Reading

_MAX_READERS = 1_000


class JsonMapping:
    """The connector `json`: its only option is `mapping`."""

    name = "json"
    options_model: type[BaseModel] = JsonOptions

    def __init__(self) -> None:
        # By the option itself, which is the same object for every delivery of a source; kept, so that no id is reused.
        self._readers: dict[int, tuple[Any, PayloadReader]] = {}

    def read(self, delivery: Delivery, context: Context) -> Reading:
        """What a payload says, by the mapping of its source.

        Raises: InvalidEvent: as `PayloadReader.read`. ConfigError: the source has no mapping, or a wrong one.
        """
        return self._reader(context).read(delivery, context)

    def _reader(self, context: Context) -> PayloadReader:
        option = context.options.get("mapping")
        found = self._readers.get(id(option))
        if found is None:
            mapping = option if isinstance(option, PayloadMapping) else mapping_of(context.options)
            if len(self._readers) >= _MAX_READERS:
                self._readers.clear()
            found = self._readers[id(option)] = (option, PayloadReader(mapping))
        return found[1]
