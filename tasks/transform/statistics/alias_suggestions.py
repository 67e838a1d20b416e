"""Who an address at Coursera may be in 360Learning: the same name before the @, or the user's own name."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping

from connectors.addresses import fold, is_address

User = Mapping[str, object]


def suggestions(unmatched: Iterable[str], users: Iterable[User]) -> dict[str, list[str]]:
    """The users (mail) that each of these addresses may be, in order; those without any are left out.

    ``users`` have ``mail``, ``firstName``, ``lastName`` as 360Learning's API gives them. A user is meant by
    an address of another domain with the same local part, or by one that spells their name, such as
    lee.ann@home.example for Ann Lee; accents do not count.
    """
    by_sign: dict[object, set[str]] = defaultdict(set)
    for user in users:
        mail = fold(str(user.get("mail") or ""))
        if is_address(mail):
            by_sign[_local_part(mail)].add(mail)
            by_sign[_words(f"{user.get('firstName') or ''} {user.get('lastName') or ''}")].add(mail)
    found = {
        address: by_sign.get(_local_part(address), set()) | by_sign.get(_name_in(address), set())
        for address in unmatched
    }
    return {address: sorted(mails) for address, mails in sorted(found.items()) if mails}


def _local_part(address: str) -> str:
    return address.partition("@")[0].partition("+")[0]


def _name_in(address: str) -> object:
    """The name that an address spells: two words at least, for one alone fits too many."""
    words = _words(re.sub(r"\d+", "", _local_part(address)))
    return words if len(words) > 1 else None


def _words(text: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return frozenset(re.findall(r"[^\W_]+", "".join(c for c in plain if not unicodedata.combining(c))))
