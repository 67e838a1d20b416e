"""Aliases: what the ledger has under an address at Coursera goes on under the one in 360Learning."""

from connectors.ledger import learner_aliases
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step


@step("apply the aliases to what the ledger knows")
async def apply_aliases(run: RunContext) -> None:
    """Move the records of learners whose alias is new, so that nothing of theirs is opened twice.

    To be called once nothing is under way. A dry run changes nothing.
    """
    if run.dry_run or not run.aliases:
        return
    with run.ledger.begin() as db:
        moved = learner_aliases.apply(db, run.target.id, run.aliases)
    if moved:
        run.note(f"Learners with a new alias, whose records now stand under it: {moved}")
