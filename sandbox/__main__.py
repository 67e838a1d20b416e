"""`python -m sandbox`: serves the sandbox of both platforms until stopped."""

import argparse
import asyncio
import gc
import sys
from collections.abc import Sequence

import orjson

from sandbox.clock import system_clock
from sandbox.sandbox import CONTROL, Sandbox
from sandbox.server import serve_until_stopped
from sandbox.world import Sizes, World

# A large world stays, and so does all that is sent to it: to look through it for garbage held up the answers
# for a third of a second, time and again. So it is looked for among what is new, and hardly ever everywhere.
GARBAGE_AFTER = (10_000, 10, 10_000)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints one line of JSON once it accepts connections: `environment` and the `control` URL."""
    gc.set_threshold(*GARBAGE_AFTER)
    parser = _parser()
    wanted = parser.parse_args(arguments)
    try:
        sizes = Sizes(wanted.courses, wanted.learners, wanted.enrollments)
    except ValueError as error:
        parser.error(str(error))
    sandbox = Sandbox(World.seeded(system_clock(), wanted.seed, sizes))
    gc.freeze()

    def announce() -> None:
        line = {"environment": sandbox.environment(), "control": sandbox.url(CONTROL)}
        sys.stdout.write(orjson.dumps(line).decode() + "\n")
        sys.stdout.flush()

    asyncio.run(
        serve_until_stopped(
            sandbox, announce, port_base=wanted.port_base, while_stdin_open=wanted.while_stdin_open
        )
    )


def _parser() -> argparse.ArgumentParser:
    sizes = Sizes()
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port-base", type=int, help="the first of three ports (default: free ones)")
    parser.add_argument("--seed", type=int, default=1, help="what the data is drawn from")
    parser.add_argument("--courses", type=int, default=sizes.courses)
    parser.add_argument("--learners", type=int, default=sizes.learners)
    parser.add_argument("--enrollments", type=int, default=sizes.enrollments)
    parser.add_argument("--while-stdin-open", action="store_true", help="stop when standard input ends")
    return parser


if __name__ == "__main__":
    main()
