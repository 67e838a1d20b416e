"""Addresses on the web that a learner's browser can be sent to."""

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import unquote

import pandas as pd

# http or https, a host without credentials, no white space; each character is looked at once.
_WEB_ADDRESS = r"(?i:https?)://(?P<host>\[[0-9a-fA-F:.]+\]|[^\s/?#@\\:\[\]]+)(?::\d+)?(?:[/?#]\S*)?"


def is_web_address(addresses: pd.Series) -> pd.Series:
    """Tell which texts (str dtype) are addresses of a page that is not on the reader's own machine: bool."""
    # The one group is the host, NaN where the whole text is no such address.
    host = addresses.str.extract(f"^{_WEB_ADDRESS}$", expand=False)
    own = {one: _is_own(one) for one in host.dropna().unique()}
    return host.notna() & ~host.map(own).eq(other=True)


def _is_own(host: str) -> bool:
    name = unquote(host).strip("[]").rstrip(".")
    with suppress(UnicodeError):  # browsers read full-width digits and dots, too
        name = name.encode("idna").decode()
    address = _number(name)
    if address is None:
        return name.lower() == "localhost" or name.lower().endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _number(name: str) -> IPv4Address | IPv6Address | None:
    """The address that a host spells, in any way that browsers take: 127.1 and 0x7f000001 are 127.0.0.1."""
    with suppress(OSError):
        return IPv4Address(socket.inet_aton(name))
    with suppress(ValueError):
        address = IPv6Address(name)
        return address.ipv4_mapped or address
    return None
