"""Pin a package that is required with extras under its plain name too.

pip tells `sqlalchemy[asyncio]` and `sqlalchemy` apart while it resolves: with hashes required, each must be
pinned, or it looks at the newest version first and stops there.
"""

import re
import sys
from pathlib import Path

WITH_EXTRAS = re.compile(r"(?P<name>[\w.-]+)\[[^\]]+\](?P<pin>.*)", re.DOTALL)


def both_names(requirement: str) -> list[str]:
    """A requirement with its hashes, and where it names extras the same without them."""
    found = WITH_EXTRAS.match(requirement)
    return [requirement, found["name"] + found["pin"]] if found else [requirement]


for argument in sys.argv[1:]:
    file = Path(argument)
    requirements = re.split(r"\n(?=\S)", file.read_text().rstrip("\n"))
    every = [line for requirement in requirements for line in both_names(requirement)]
    file.write_text("\n".join(every) + "\n")
