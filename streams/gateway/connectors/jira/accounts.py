"""Who did something in Jira."""

from __future__ import annotations

from streams.gateway.connectors.connector import Roles
from streams.gateway.connectors.reading_json import JsonObject
from streams.gateway.edge.draft import Acting

_CUSTOMER = "customer"


def account(user: JsonObject | None) -> Acting | None:
    """By the account's id (Cloud), else by its key, which stays when somebody is renamed, else by its name.

    Only Cloud says what kind an account is; of Data Center's accounts the settings of the source do.

    Raises: InvalidEvent: invalid_value.
    """
    if user is None:
        return None
    name = user.text_or("accountId") or user.text_or("key") or user.text_or("name")
    kind = user.text_or("accountType")
    if not name:
        return None
    if kind == "app":
        return Acting(name, "bot")
    return Acting(name, "human" if kind in ("atlassian", _CUSTOMER) else "unknown")


def role_of(user: JsonObject | None, roles: Roles) -> str:
    """By the map of actors; of a customer of a service desk also by the map of associations (`customer`)."""
    acting = account(user)
    if user is None or acting is None:
        return ""
    is_customer = user.text_or("accountType") == _CUSTOMER
    return roles.of_actor(acting) or (roles.mapped("association", _CUSTOMER) if is_customer else "")
