"""What `make profile` makes of the stacks that were seen."""

from tests.benchmarks.profile import NONE, counted


def test_functions_are_counted_by_themselves_and_with_what_they_call() -> None:
    stacks = ["main (a.py);read (b.py) 3", "main (a.py);read (b.py);read (b.py) 2", "main (a.py) 1", " 4"]
    innermost, under_way = counted(stacks)
    assert innermost == {"read (b.py)": 5, "main (a.py)": 1, NONE: 4}
    assert under_way == {"main (a.py)": 6, "read (b.py)": 5, NONE: 4}
