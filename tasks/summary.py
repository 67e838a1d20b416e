"""What a run did, in the counts that people and scripts rely on."""

from typing import Any, Literal

from pydantic import BaseModel, Field

State = Literal["running", "completed", "completed_with_rejects", "failed", "dry_run"]


class Summary(BaseModel):
    """A run's counts of rows; ``seconds`` is its duration, ``notes`` what else people should know.

    When a run is done, ``extracted = merged + held + unchanged + accepted + rejected`` (in a dry run
    ``submitted`` stands for accepted): a row in none of them is a bug.
    """

    flow: str
    state: State = "running"
    extracted: int = 0
    merged: int = 0
    held: int = 0
    unchanged: int = 0
    submitted: int = 0
    accepted: int = 0
    rejected: int = 0
    archived: int = 0
    recovered: int = 0
    seconds: float = 0.0
    notes: list[str] = Field(default_factory=list)
    error: str | None = None

    @property
    def unaccounted(self) -> int:
        """Rows that were extracted and are in no other count; anything but 0 is a bug."""
        sent = self.submitted if self.state == "dry_run" else self.accepted
        return self.extracted - self.merged - self.held - self.unchanged - sent - self.rejected

    @property
    def exit_code(self) -> int:
        """0 done, 3 done with rows put aside, 1 failed."""
        return {"completed_with_rejects": 3, "failed": 1}.get(self.state, 0)

    def as_json(self) -> dict[str, Any]:
        """The summary as one JSON object; ``error`` only where there is one."""
        return self.model_dump(exclude={"error"} if self.error is None else set())
