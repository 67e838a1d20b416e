"""Learners and instructors, drawn from the seed."""

import unicodedata
from dataclasses import dataclass
from random import Random

from sandbox.values import Json
from sandbox.world.names import FAMILY_NAMES, GIVEN_NAMES, INSTRUCTOR_TITLES, MAIL_DOMAINS

_FOLDED = str.maketrans({"ø": "o", "ł": "l", "ß": "ss"})


@dataclass(slots=True)
class Learner:
    """One person: how Coursera's reports name them, and whether 360Learning knows them."""

    mail: str
    external_id: str
    full_name: str
    #: Whether the reports carry the `email` field; without it `externalId` is the address.
    shows_mail: bool = True
    #: Whether 360Learning has an account for the address.
    known: bool = True


def ascii_slug(text: str) -> str:
    """Lower-case ASCII words joined by hyphens."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_FOLDED)).encode("ascii", "ignore").decode()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


def make_learners(rng: Random, count: int) -> list[Learner]:
    """Different people: one in twenty without a mail field, one in ten with an opaque externalId."""
    taken: set[str] = set()
    return [_learner(rng, number, taken) for number in range(count)]


def _learner(rng: Random, number: int, taken: set[str]) -> Learner:
    given, family = rng.choice(GIVEN_NAMES), rng.choice(FAMILY_NAMES)
    mail = _address(given, family, rng.choice(MAIL_DOMAINS), number, taken)
    shows_mail = number % 20 != 7  # noqa: PLR2004 -- one in twenty
    opaque = shows_mail and number % 10 == 3  # noqa: PLR2004 -- one in ten
    return Learner(mail, f"emp-{10_000 + number}" if opaque else mail, f"{given} {family}", shows_mail)


def _address(given: str, family: str, domain: str, number: int, taken: set[str]) -> str:
    local = f"{ascii_slug(given)}.{ascii_slug(family)}"
    mail = f"{local}@{domain}"
    if mail in taken:
        mail = f"{local}{number}@{domain}"
    taken.add(mail)
    return mail


def make_instructors(rng: Random, count: int) -> list[Json]:
    """Instructors as contents name them."""
    return [_instructor(rng, number) for number in range(count)]


def _instructor(rng: Random, number: int) -> Json:
    name = f"{rng.choice(GIVEN_NAMES)} {rng.choice(FAMILY_NAMES)}"
    photo = f"https://images.example.net/people/{ascii_slug(name)}-{number}.jpg"
    return {
        "name": name,
        "title": rng.choice(INSTRUCTOR_TITLES),
        "department": rng.choice(("Engineering", "Management", "Data Science", "")),
        "photoUrl": photo,
    }
