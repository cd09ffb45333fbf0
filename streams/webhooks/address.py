"""Where a webhook may point: not into the network that Tieline itself stands in, unless somebody says so.

A name is resolved once for each connection, and the addresses that were looked at are the ones connected to: a name
that changes its address in between gains nothing.
"""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address
from socket import AddressFamily
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from schemas.errors import TielineError

Address = IPv4Address | IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddress(TielineError):  # noqa: N818 - what it is, is the name
    """A webhook points where it may not.

    Operator action: correct its URL, or set `allow_private` if the receiver is meant to be inside.
    """


def is_loopback(host: str) -> bool:
    """Whether a URL's host is written as this machine; a name that only resolves to it is not."""
    address = _literal(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def check_url(url: str, allow_private: bool) -> None:
    """Raises: ForbiddenAddress: its scheme, or the address that is written in it. The message holds no part of it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host):
        return
    if parts.scheme != "https":
        raise ForbiddenAddress("expected https://, or a loopback address")
    address = _literal(host)
    if address is not None:
        check_address(address, allow_private)


def check_address(address: Address, allow_private: bool) -> None:
    """Raises: ForbiddenAddress: not a public address; with `allow_private`, not a public or private one."""
    inner = _inner(address)
    if inner.is_multicast or inner.is_unspecified or inner.is_link_local or inner.is_reserved or inner.is_loopback:
        raise ForbiddenAddress("it is at an address that no receiver has")
    if not inner.is_global and not (allow_private and inner.is_private):
        raise ForbiddenAddress("it is at a private address")


class GuardedResolver(AbstractResolver):
    """Resolves names, and refuses a name any of whose addresses is forbidden."""

    def __init__(self, allow_private: bool, inner: AbstractResolver | None = None) -> None:
        self._allow_private = allow_private
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if host != "localhost":
            for each in found:
                check_address(ipaddress.ip_address(each["host"].partition("%")[0]), self._allow_private)
        return found

    async def close(self) -> None:
        await self._inner.close()


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address
