"""Refresh tokens that Coursera has renewed, in place of those in the settings."""

import hashlib

from sqlalchemy import Connection, select

from connectors.ledger.database import upsert
from connectors.ledger.schema import renewed_tokens


def fingerprint(secret: str) -> str:
    """A digest that tells whether a setting has changed, without keeping it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def renewed_token(db: Connection, org_id: str, setting: str) -> str | None:
    """The refresh token that took the place of the setting's; None where the setting is the newer one."""
    query = select(renewed_tokens.c.refresh_token)
    return db.scalar(query.filter_by(org_id=org_id, setting_fingerprint=fingerprint(setting)))


def keep_renewed_token(db: Connection, org_id: str, setting: str, token: str, now_ms: int) -> None:
    """Keep a renewed refresh token in the place of the setting's."""
    row = {
        "org_id": org_id,
        "setting_fingerprint": fingerprint(setting),
        "refresh_token": token,
        "renewed_at": now_ms,
    }
    upsert(db, renewed_tokens, [row])
