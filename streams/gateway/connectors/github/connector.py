"""The connector: which webhook is read how.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from streams.gateway.connectors.connector import Context, Delivery
from streams.gateway.connectors.github import changes, messages, reviews
from streams.gateway.connectors.github.options import GitHubOptions
from streams.gateway.connectors.github.webhook import Webhook, code, kind_of, payload_of
from streams.gateway.edge.draft import Reading

_READERS: dict[str, Callable[[Webhook], Reading]] = {
    **{f"{kind}.{action}": read for kind in ("issues", "pull_request") for action, read in changes.READERS.items()},
    "pull_request.review_requested": reviews.requested,
    "pull_request.review_request_removed": reviews.request_removed,
    "pull_request_review.submitted": reviews.submitted,
    "issue_comment.created": messages.comment,
    "pull_request_review_comment.created": messages.review_comment,
}


class GitHub:
    """Connector `github`. Remembers which reviews were asked for: read the deliveries of a source one by one."""

    name = "github"
    options_model: type[BaseModel] = GitHubOptions

    def read(self, delivery: Delivery, context: Context) -> Reading:
        """The drafts of one webhook.

        Raises: InvalidEvent: as `read_object`; not_form, missing_field, invalid_value, bad_time.
        """
        payload = payload_of(delivery)
        kind = kind_of(delivery, payload)
        what = code(kind, payload.text_or("action"))
        reader = _READERS.get(what)
        return reader(Webhook(what, payload, context)) if reader else Reading(unused=(what,))
