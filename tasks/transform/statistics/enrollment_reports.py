"""Enrollment reports as typed columns: what is usable of them, and what each row says as a number."""

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from connectors.addresses import ADDRESS, fold
from tasks.transform.columns import blank, flag, identifier, number
from tasks.transform.row_keys import Numbers

TEXTS = ("email", "externalId", "contentId", "programId")
NUMBERS = (
    "enrolledAt", "lastActivityAt", "completedAt", "updatedAt", "overallProgress", "grade",
    "approxTotalCourseHrs", "approxTotalLearningHours",
)  # fmt: skip
FLAG = "isCompleted"
FIELDS = (*TEXTS, *NUMBERS, FLAG)
ROW_ID, IS_ROW, NOT_A_ROW = "row_id", "is_row", "not_a_row"
REPORT_COLUMNS = [ROW_ID, *FIELDS, "wrong", "raw", "address", "digest"]
#: The end of the year 9999: later moments cannot be told. Other dates are judged when rows are mapped.
LAST_MOMENT_MS = 253_402_300_799_999
#: In place of a digest: the row is to be looked at in any case.
NO_DIGEST = 0
#: To be raised when rows are mapped to something else: no digest is known any more then.
MAPPING_VERSION = 1

# What a row says; ``updatedAt`` is left out, for it changes without anything else.
_SAID = [name for name in FIELDS if name != "updatedAt"]
_BITS = {name: 1 << place for place, name in enumerate((*FIELDS, NOT_A_ROW))}


def read_reports(columns: Mapping[str, Sequence[object]], *, send_scores: bool = False) -> pd.DataFrame:
    """Type the columns of report rows: ROW_ID str, FIELDS as they came, and IS_ROW bool.

    Where IS_ROW is false the element was no object, and there is nothing in its other columns. Returns
    REPORT_COLUMNS by the position of the elements: ROW_ID str; TEXTS str, NUMBERS float64 and FLAG bool, NaN
    and false where there is nothing usable; wrong int64 (see `is_wrong`); raw str, NaN everywhere, for
    whoever keeps elements that the columns cannot give back; address str, in lower case, of email or else of
    an externalId that is one, NaN without; digest int64, what the row says, or NO_DIGEST where it is wrong.
    """
    take = dict.fromkeys(TEXTS, identifier) | dict.fromkeys(NUMBERS, number) | {FLAG: flag}
    taken = {name: take[name](pd.Series(columns[name], dtype=object)) for name in FIELDS}
    reports = pd.DataFrame({name: column for name, (column, _) in taken.items()})
    reports.insert(0, ROW_ID, pd.Series(columns[ROW_ID], dtype="str"))
    masks = {name: mask.to_numpy() for name, (_, mask) in taken.items()}
    is_moment = reports["updatedAt"].between(0, LAST_MOMENT_MS)
    masks["updatedAt"] = masks["updatedAt"] | (reports["updatedAt"].notna() & ~is_moment).to_numpy()
    reports["updatedAt"] = reports["updatedAt"].where(is_moment)
    masks[NOT_A_ROW] = ~np.array(columns[IS_ROW], dtype=bool)
    wrong = np.zeros(len(reports), dtype="int64")
    for name, mask in masks.items():
        if mask.any():
            wrong |= np.where(mask, _BITS[name], 0)
    return reports.assign(
        wrong=wrong,
        raw=pd.Series(None, index=reports.index, dtype="str"),
        address=_addresses(reports),
        digest=np.where(wrong, NO_DIGEST, _digests(reports, send_scores=send_scores)),
    )


def is_wrong(reports: pd.DataFrame, name: str) -> pd.Series:
    """Where a field (or NOT_A_ROW) holds a value of another type: bool."""
    wrong: pd.Series = (reports["wrong"] & _BITS[name]).ne(0)
    return wrong


def _addresses(reports: pd.DataFrame) -> pd.Series:
    email = reports["email"]
    candidate = _folded(email.where(~blank(email), reports["externalId"]))
    is_address = candidate.str.fullmatch(ADDRESS).fillna(value=False).astype(bool)
    return candidate.where(is_address)


def _folded(addresses: pd.Series) -> pd.Series:
    """Each address as `fold` gives it; ASCII at once, while Arrow's lower case of others is another one."""
    folded = addresses.str.strip().str.lower()
    others = addresses.notna() & ~addresses.str.isascii().fillna(value=True).astype(bool)
    return folded.where(~others, addresses[others].map(fold)) if others.any() else folded


def _digests(reports: pd.DataFrame, *, send_scores: bool) -> Numbers:
    """What each row says as 64 bits, the same wherever it is read; other settings give other numbers.

    Two different rows among a million share a number once in some 40 million readings.
    """
    said = pd.util.hash_pandas_object(reports[_SAID], index=False, categorize=False)
    rules = json.dumps([MAPPING_VERSION, send_scores]).encode()
    salt = int.from_bytes(hashlib.blake2b(rules, digest_size=8).digest(), signed=True)
    return said.to_numpy().view(np.int64) ^ np.int64(salt)
