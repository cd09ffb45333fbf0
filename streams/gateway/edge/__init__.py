"""What happens to every draft before it is written down: names are hashed, free text is classified and dropped."""

from streams.gateway.edge.draft import Acting, Draft, Reading
from streams.gateway.edge.edge import Edge, Sealed
from streams.gateway.edge.keyring import Keyring, Keys
from streams.gateway.edge.marks import Marks

__all__ = ["Acting", "Draft", "Edge", "Keyring", "Keys", "Marks", "Reading", "Sealed"]
