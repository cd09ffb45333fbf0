"""A client for producers: builds events, hashes actors, validates, keys, sends. Needs the contract and pydantic only.

```
made = EventMaker("/ehr/main", "ed-to-ward", key=read_key("actor.key"))
event = made.make(HandoffAccepted, id="4711-9", work_item="enc-4711", at=at, actor="account-17", handoff_id="h2",
                  role="ward-nurse")
with GatewayClient("https://tieline.example", token) as gateway:
    sent = gateway.send([event])
```
"""

from streams.client.backoff import Backoff
from streams.client.gateway_client import GatewayClient, Refusal, Refused, Sent
from streams.client.maker import EventMaker, read_key
from streams.client.records import Record, produce, record

__all__ = [
    "Backoff",
    "EventMaker",
    "GatewayClient",
    "Record",
    "Refusal",
    "Refused",
    "Sent",
    "produce",
    "read_key",
    "record",
]
