"""Who is who: aliases and changed addresses as one map, applied to rows and to the ledger alike."""

import pandas as pd

from connectors.ledger.records.learners import addresses_of, external_ids_of, move_learners, record_addresses
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step
from tasks.transform.statistics.learner_moves import AddressMap, address_map, latest_addresses


@step("recognise learners whose address has changed")
async def settle_addresses(run: RunContext, seen: pd.DataFrame, *, writes: bool = True) -> AddressMap:
    """Reckon the addresses that count, and move what the ledger has under others to them.

    ``seen``: external_id, learner, program and updated_at of a reading, see `StagedListing`. To be called
    under the stream's lock, once nothing is under way. A dry run, or whoever else does not write
    (``writes``), moves nothing: what it asks the ledger for it asks under both addresses (see `LedgerState`).
    """
    if run.settings.programs:
        seen = seen.loc[seen["program"].isin(run.settings.programs)]
    return await run.shared.frames.do(
        _settled, run, latest_addresses(seen.drop(columns="program")), writes=writes and not run.dry_run
    )


def _settled(run: RunContext, seen: pd.DataFrame, *, writes: bool) -> AddressMap:
    known = _known(run, seen)
    addresses = address_map(seen, known, run.aliases)
    if not writes:
        return addresses
    current = seen.assign(learner=addresses.current(seen["learner"]))
    with run.ledger.begin() as db:
        moved = move_learners(db, run.target.id, addresses.new_by_old)
        record_addresses(db, run.target.id, current, known)
    by_alias = moved & run.aliases.keys()
    if by_alias:
        run.note(f"Learners moved to their new alias: {len(by_alias)}")
    if moved - by_alias:
        run.note(f"Learners moved to their new address, with their attempts: {len(moved - by_alias)}")
    return addresses


def _known(run: RunContext, seen: pd.DataFrame) -> pd.DataFrame:
    """What the ledger knows of these externalIds, and of others beside the same addresses."""
    ids = seen["external_id"].drop_duplicates()
    with run.ledger.read() as db:
        known = addresses_of(db, run.target.id, ids[ids.ne("")].tolist())
        named = seen.assign(learner=AddressMap(run.aliases).current(seen["learner"]))
        others = external_ids_of(db, run.target.id, _doubtful(named, known))
    return pd.concat([known, others], ignore_index=True).drop_duplicates(["external_id", "learner"])


def _doubtful(seen: pd.DataFrame, known: pd.DataFrame) -> list[str]:
    """The addresses that another externalId of the ledger may stand beside: mostly nobody has moved."""
    both = seen.merge(known, on="external_id", suffixes=("", "_known"))
    both = both.loc[both["learner"].ne(both["learner_known"])]
    return both["learner"].unique().tolist()
