"""The plain way to do the job, to compare with: page by page, an object a row, a row mapped at a time.

    python tests/benchmarks/plain.py

sends the progress of every enrollment once. No ledger, no difference, no merge, no recovery, no Prefect.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import BaseModel

PAGE, OPERATION = 1_000, 10_000


class Report(BaseModel):
    """A row of the enrollment reports."""

    contentId: str  # noqa: N815 - Coursera's names
    email: str | None = None
    externalId: str | None = None  # noqa: N815
    enrolledAt: int | None = None  # noqa: N815
    lastActivityAt: int | None = None  # noqa: N815
    completedAt: int | None = None  # noqa: N815
    overallProgress: float | None = None  # noqa: N815
    isCompleted: bool = False  # noqa: N815
    approxTotalCourseHrs: float | None = None  # noqa: N815


def main() -> None:
    """Print one line of JSON: the rows that were read and sent."""
    read = sent = 0
    rows: list[dict[str, Any]] = []
    with httpx.Client(timeout=60) as client:
        coursera, learning360, integration = _sign_in(client)
        start: int | None = 0
        while start is not None:
            url = f"{os.environ['COURSERA_API_URL']}/businesses.v1/{os.environ['COURSERA_ORG_ID']}"
            query = {"start": str(start), "limit": str(PAGE), "includeS12n": "true"}
            page = client.get(f"{url}/enrollmentReports", params=query, headers=coursera).json()
            for element in page["elements"]:
                read += 1
                if (row := _statistic(element)) is not None:
                    rows.append(row)
            if len(rows) >= OPERATION:
                sent += _send(client, learning360, integration, rows[:OPERATION])
                rows = rows[OPERATION:]
            following = page["paging"].get("next")
            start = None if following is None else int(following)
        if rows:
            sent += _send(client, learning360, integration, rows)
    sys.stdout.write(json.dumps({"extracted": read, "submitted": sent}) + "\n")


def _statistic(element: object) -> dict[str, Any] | None:
    try:
        report = Report.model_validate(element)
    except ValueError:
        return None
    if not report.isCompleted and not report.overallProgress:
        return None
    dates = [date for date in (report.enrolledAt, report.lastActivityAt, report.completedAt) if date]
    last = report.completedAt if report.isCompleted and report.completedAt else report.lastActivityAt
    progress = 100 if report.isCompleted else min(99, max(1, int(report.overallProgress or 0)))
    return {
        "courseIdentifier": {"type": "externalId", "value": report.contentId},
        "userIdentifier": {"type": "mail", "value": (report.email or report.externalId or "").lower()},
        "progress": progress,
        "timeSpent": max(1, round((report.approxTotalCourseHrs or 0) * 3_600_000)),
        "firstActivityAt": _iso(min(dates)),
        "lastActivityAt": _iso(max(last or min(dates), min(dates) + 1)),
        "forceNew": True,
    }


def _iso(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _sign_in(client: httpx.Client) -> tuple[dict[str, str], dict[str, str], str]:
    env = os.environ
    form = {
        "grant_type": "refresh_token",
        "client_id": env["COURSERA_CLIENT_ID"],
        "client_secret": env["COURSERA_CLIENT_SECRET"],
        "refresh_token": env["COURSERA_REFRESH_TOKEN"],
    }
    coursera = client.post(env["COURSERA_TOKEN_URL"], data=form).json()["access_token"]
    url = env["LEARNING360_API_URL"]
    body = {
        "grant_type": "client_credentials",
        "client_id": env["LEARNING360_CLIENT_ID"],
        "client_secret": env["LEARNING360_CLIENT_SECRET"],
    }
    token = client.post(f"{url}/api/v2/oauth2/token", json=body).json()["access_token"]
    learning360 = {"authorization": f"Bearer {token}", "360-api-version": "v2.0"}
    integrations = client.get(f"{url}/api/v2/integrations", headers=learning360).json()
    return {"authorization": f"Bearer {coursera}"}, learning360, integrations[0]["_id"]


def _send(client: httpx.Client, headers: dict[str, str], integration: str, rows: list[dict[str, Any]]) -> int:
    url = os.environ["LEARNING360_API_URL"]
    answer = client.post(
        f"{url}/api/v2/bulk/integrations/{integration}/stats", json={"input": rows}, headers=headers
    )
    operation = f"{url}/api/v2/bulk/operations/{answer.headers['location'].rpartition('/')[2]}"
    while client.get(operation, headers=headers).json()["status"] not in {"completed", "error"}:
        time.sleep(0.5)
    client.get(f"{operation}/results", headers=headers).json()
    return len(rows)


if __name__ == "__main__":
    main()
