"""The `coursera-sync` command.

Prefect is imported only by the commands that run a flow, so that `status` and `--help` answer at once.
"""

import json
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from connectors.addresses import is_address
from connectors.errors import SettingsError, SyncError
from flows.cli import run_flow
from tasks.reporting.redaction import plain
from tasks.reporting.summary import INTERRUPTED

app = typer.Typer(
    help="Coursera for Business courses and learners' progress in 360Learning.",
    pretty_exceptions_enable=False,
    add_completion=False,
)

# The exit code that Typer makes of an interrupt.
TYPER_INTERRUPTED = 130

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on the last line.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Say more, and show where a failure came from.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Programs = Annotated[
    list[str] | None,
    typer.Option("--program", metavar="ID", help="Only this program of Coursera's; may be given again."),
]
Courses = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Only these courses of Coursera's (contentId); else all of them."),
]
Full = Annotated[bool, typer.Option("--full", help="Read all reports, not only those with new activity.")]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Go on although the ledger does not know what 360Learning holds.")
]
From = Annotated[str | None, typer.Option("--from", metavar="T", help="From this date or ISO time on (UTC).")]
To = Annotated[str | None, typer.Option("--to", metavar="T", help="Before this date or ISO time (UTC).")]
Learners = Annotated[
    list[str] | None,
    typer.Option("--learner", metavar="MAIL", help="Only this learner; may be given again."),
]
ReportFile = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Write the run's report as one HTML file.")
]
PlanFile = Annotated[
    Path | None,
    typer.Option(
        "--plan",
        metavar="FILE",
        help="With --dry-run: write the whole plan to a private .csv or .parquet file (addresses too).",
    ),
]
Probe = Annotated[
    bool,
    typer.Option("--probe", help="Find out, by reading alone, what the platforms' contracts leave open."),
]
Rejected = Annotated[bool, typer.Option("--rejected", help="Show the rejected rows, by reason.")]
Repair = Annotated[
    bool, typer.Option("--repair", help="Send attempts that are missing, and update open ones that differ.")
]
Adopt = Annotated[bool, typer.Option("--adopt", help="Rebuild a lost ledger from what 360Learning holds.")]
ExportFile = Annotated[
    Path | None,
    typer.Option(
        "--export",
        metavar="FILE",
        help="Write all differences to a private .csv or .parquet file (addresses too).",
    ),
]
Csv = Annotated[
    Path | None,
    typer.Option("--csv", metavar="FILE", help="Write every rejected row to a private file (addresses too)."),
]
Learner = Annotated[str, typer.Option("--learner", metavar="MAIL", help="The learner's address.")]
Course = Annotated[str, typer.Option("--course", metavar="ID", help="The course (Coursera's contentId).")]
Offline = Annotated[bool, typer.Option("--offline", help="Ask no platform: only what the ledger knows.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for a confirmation.")]
SuggestFile = Annotated[Path, typer.Argument(metavar="FILE", help="The new file (addresses; private).")]
OneMachine = Annotated[
    bool,
    typer.Option(
        "--one-machine",
        help="All workers are on this machine: mark runs as crashed whose process here is gone.",
    ),
]
Host = Annotated[str, typer.Option("--host", help="The address to serve on.")]
Port = Annotated[int, typer.Option("--port", help="The port to serve on.", min=1, max=65_535)]
Home = Annotated[
    Path | None,
    typer.Option("--home", metavar="FOLDER", help="Where it keeps its database, key and sign-in; private."),
]
AuthFile = Annotated[
    Path | None,
    typer.Option(
        "--auth-file",
        metavar="FILE",
        help="A private file with the sign-in to ask for, as user:password; else one is made.",
    ),
]


@app.command()
def setup(*, probe: Probe = False, as_json: Json = False, verbose: Verbose = False) -> None:
    """Prove both sign-ins and the scopes, and make the integration ready with its launch rule."""
    run_flow.prepare(verbose=verbose)
    from flows.setup import setup as flow  # noqa: PLC0415

    run_flow.run(flow, {"probe": probe}, as_json=as_json)


@app.command()
def catalog(
    *,
    program: Programs = None,
    dry_run: DryRun = False,
    plan: PlanFile = None,
    report: ReportFile = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Bring Coursera's catalog to 360Learning: what is new or changed."""
    run_flow.prepare(verbose=verbose)
    from flows.catalog import catalog as flow  # noqa: PLC0415

    run_flow.run(flow, {"programs": program, "dry_run": dry_run}, as_json=as_json, report=report, plan=plan)


@app.command()
def statistics(
    *,
    full: Full = False,
    fresh: Fresh = False,
    dry_run: DryRun = False,
    plan: PlanFile = None,
    report: ReportFile = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Bring learners' progress to 360Learning: what is new since the last good run."""
    run_flow.prepare(verbose=verbose)
    from flows.statistics import statistics as flow  # noqa: PLC0415

    run_flow.run(
        flow, {"full": full, "fresh": fresh, "dry_run": dry_run}, as_json=as_json, report=report, plan=plan
    )


@app.command()
def backfill(  # noqa: PLR0913 - a command's options
    *,
    active_from: From = None,
    active_to: To = None,
    program: Programs = None,
    learner: Learners = None,
    dry_run: DryRun = False,
    plan: PlanFile = None,
    report: ReportFile = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Bring the progress of a chosen window of last activity (from ≤ t < to)."""
    for one in learner or []:
        if not is_address(one.strip()):
            raise SettingsError(f"--learner {one} is no address, such as ann@example.com.")
    run_flow.prepare(verbose=verbose)
    from flows.backfill import backfill as flow  # noqa: PLC0415
    from tasks.transform.statistics.filters import digest_of  # noqa: PLC0415

    parameters = {
        "active_from": _moment("--from", active_from),
        "active_to": _moment("--to", active_to),
        "programs": program,
        "learners": [digest_of(address) for address in learner or []],
        "dry_run": dry_run,
    }
    run_flow.run(flow, parameters, as_json=as_json, report=report, plan=plan)


def _moment(option: str, value: str | None) -> datetime | None:
    try:
        return None if value is None else datetime.fromisoformat(value)
    except ValueError as error:
        raise SettingsError(
            f"{option} {value} is neither a date nor an ISO time, such as 2026-01-31."
        ) from error


@app.command()
def reconcile(
    *,
    repair: Repair = False,
    adopt: Adopt = False,
    export: ExportFile = None,
    report: ReportFile = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Read back what 360Learning holds, and show where it differs from Coursera."""
    run_flow.prepare(verbose=verbose)
    from flows.reconcile import reconcile as flow  # noqa: PLC0415

    run_flow.run(flow, {"repair": repair, "adopt": adopt}, as_json=as_json, report=report, export=export)


@app.command()
def restore(
    courses: Courses = None,
    *,
    dry_run: DryRun = False,
    plan: PlanFile = None,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Bring back courses that an archive took."""
    run_flow.prepare(verbose=verbose)
    from flows.restore import restore as flow  # noqa: PLC0415

    run_flow.run(flow, {"courses": courses, "dry_run": dry_run}, as_json=as_json, plan=plan)


@app.command()
def status(
    *, rejected: Rejected = False, csv: Csv = None, as_json: Json = False, verbose: Verbose = False
) -> None:
    """Show what the ledger knows: integration, watermarks, last runs, open operations, rejected rows."""
    run_flow.prepare(verbose=verbose)
    from flows.cli.status import show_status  # noqa: PLC0415

    show_status(rejected=rejected, csv_file=csv, as_json=as_json)


@app.command()
def explain(
    *,
    learner: Learner,
    course: Course,
    offline: Offline = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Tell the story of one learner on one course: what Coursera says, what was sent, what came of it."""
    run_flow.prepare(verbose=verbose)
    from flows.cli.explain import explain as tell  # noqa: PLC0415

    tell(learner, course, offline=offline, as_json=as_json)


@app.command()
def forget(*, learner: Learner, yes: Yes = False, as_json: Json = False, verbose: Verbose = False) -> None:
    """Remove one person from the ledger."""
    run_flow.prepare(verbose=verbose)
    from flows.cli.forget import forget as remove  # noqa: PLC0415

    remove(learner, yes=yes, as_json=as_json)


@app.command()
def suggest(file: SuggestFile, *, as_json: Json = False, verbose: Verbose = False) -> None:
    """Say who the learners may be that 360Learning does not know: a private file for SYNC_ALIASES."""
    run_flow.prepare(verbose=verbose)
    from flows.cli.suggest import suggest as write  # noqa: PLC0415

    write(file, as_json=as_json)


@app.command()
def register(*, one_machine: OneMachine = False, as_json: Json = False, verbose: Verbose = False) -> None:
    """Put credentials, limit, work pool and alerts on the Prefect server in PREFECT_API_URL."""
    run_flow.prepare(verbose=verbose)
    from flows.server.register import register as register_all  # noqa: PLC0415

    registration = register_all(one_machine=one_machine)
    if as_json:
        run_flow.print_json(registration.as_json())
    else:
        typer.echo("\n".join(registration.done))


@app.command()
def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 4200,
    home: Home = None,
    auth_file: AuthFile = None,
    verbose: Verbose = False,
) -> None:
    """Run Prefect's server and UI, the schedules and a worker on this machine, until interrupted."""
    run_flow.prepare(verbose=verbose)
    from flows.server.serve import serve as serve_all  # noqa: PLC0415

    serve_all(host=host, port=port, home=home, auth_file=auth_file)


@app.command()
def demo(*, as_json: Json = False, verbose: Verbose = False) -> None:
    """Do the whole job on a sandbox of both platforms; nothing to configure."""
    run_flow.prepare(verbose=verbose)
    from flows.cli.demo import run_demo  # noqa: PLC0415

    run_demo(as_json=as_json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def sandbox(context: typer.Context) -> None:
    """Serve the sandbox of both platforms until interrupted (`--help` shows its options)."""
    from flows.cli.sandbox_process import serve  # noqa: PLC0415

    raise typer.Exit(serve(context.args))


def main(begin: Callable[[], None] = lambda: None) -> None:
    """Run the command; a failure, of ``begin`` too, is one plain message, and with --json one object."""
    code = _guarded(partial(_command, begin))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the rest is short, and must leave nothing behind
    sys.exit(code)


def _command(begin: Callable[[], None]) -> object:
    begin()
    code: object = typer.main.get_command(app).main(standalone_mode=False)
    if code == TYPER_INTERRUPTED:
        raise KeyboardInterrupt
    return code


def _guarded(work: Callable[[], Any]) -> int:
    try:
        code = work()
    except typer.Exit as error:
        return error.exit_code
    except TyperException as error:
        wrong = error.format_message() or "Name a command."
        return _failed(SettingsError(f"{wrong} (`coursera-sync --help` shows the usage)"))
    except SyncError as error:
        return _failed(error)
    except (KeyboardInterrupt, typer.Abort):
        return _failed(SyncError(INTERRUPTED))
    except Exception as error:  # noqa: BLE001 - people get a message, whatever happened
        return _failed(SyncError(f"Unexpected: {type(error).__name__}. Run it with --verbose to see where."))
    return code if isinstance(code, int) else 0


def _failed(error: SyncError) -> int:
    if "--verbose" in sys.argv:
        import traceback  # noqa: PLC0415

        traceback.print_exc()
    typer.echo(plain(f"coursera-sync: {error}"), err=True)
    if "--json" in sys.argv:
        summary = error.summary.as_json() if error.summary else {"state": "failed", "error": str(error)}
        typer.echo(json.dumps({"flow": _flow_name(), **summary}))
    return error.exit_code


def _flow_name() -> str:
    return next((word for word in sys.argv[1:] if not word.startswith("-")), "")
