"""A webhook may not be used to reach what only Tieline's own machine can reach."""

from __future__ import annotations

import ipaddress
from socket import AddressFamily

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from streams.webhooks.address import ForbiddenAddress, GuardedResolver, check_address, check_url

PUBLIC = ["93.184.216.34", "2606:2800:220:1::1"]
PRIVATE = ["10.0.0.1", "172.16.3.4", "192.168.1.1", "fd00::1"]
NEVER = [
    "127.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "::",
    "::1",
    "fe80::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
]
INSIDE_OUT = ["::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "100.64.0.1"]


def allowed(address: str, allow_private: bool) -> bool:
    try:
        check_address(ipaddress.ip_address(address), allow_private)
    except ForbiddenAddress:
        return False
    return True


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert allowed(address, False)
    assert allowed(address, True)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_allowed_only_where_somebody_says_so(address: str) -> None:
    assert not allowed(address, False)
    assert allowed(address, True)


@pytest.mark.parametrize("address", NEVER)
def test_an_address_that_no_receiver_has_is_never_allowed(address: str) -> None:
    assert not allowed(address, False)
    assert not allowed(address, True)


@pytest.mark.parametrize("address", INSIDE_OUT)
def test_a_private_address_in_the_clothes_of_a_public_one_is_found_out(address: str) -> None:
    assert not allowed(address, False)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/hook",
        "https://93.184.216.34/",
        "http://127.0.0.1:8080/hook",
        "http://localhost/hook",
        "http://[::1]:80/",
        "https://127.0.0.1/",
    ],
)
def test_https_and_loopback_are_allowed(url: str) -> None:
    check_url(url, False)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "ftp://example.org/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/",
        "http://localhost.example.org/",
        "",
    ],
)
def test_anything_else_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ForbiddenAddress) as caught:
        check_url(url, False)
    assert not url or url.partition("//")[2] not in str(caught.value)


class Names(AbstractResolver):
    """Resolves every name to these addresses."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self._addresses
        ]

    async def close(self) -> None: ...


async def test_a_name_is_refused_if_any_of_its_addresses_is_forbidden() -> None:
    guarded = GuardedResolver(False, Names("93.184.216.34", "10.0.0.1"))
    with pytest.raises(ForbiddenAddress):
        await guarded.resolve("example.org", 443)
    (found,) = await GuardedResolver(False, Names("93.184.216.34")).resolve("example.org", 443)
    assert found["host"] == "93.184.216.34"


@pytest.mark.parametrize("address", ["127.0.0.1", "fe80::1%eth0"])
async def test_a_name_that_leads_to_this_machine_is_refused_however_private_one_may_be(address: str) -> None:
    with pytest.raises(ForbiddenAddress):
        await GuardedResolver(True, Names(address)).resolve("rebound.example.org", 443)
