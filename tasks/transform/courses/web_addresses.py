"""Addresses on the web that a learner's browser can be sent to."""

from __future__ import annotations

import ipaddress

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
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    return address.is_loopback or address.is_unspecified
