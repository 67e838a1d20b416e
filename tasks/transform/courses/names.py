"""What courses are called."""

import json


def name_of(body: str) -> str:
    """A course's name, from its body (JSON); empty where it has none."""
    return str(json.loads(body).get("name", ""))
