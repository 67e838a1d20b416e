"""The main job, end to end: catalog, launch, statistics, and what follows."""

from tests.installation import Sync
from tests.postgres import BOTH_DATABASES

pytestmark = BOTH_DATABASES


def test_a_course_is_launched_and_its_progress_follows(sync: Sync) -> None:
    course = sync.sandbox.world.add_content("Machine Learning")
    ann = "ann@example.com"
    row = sync.sandbox.enroll(ann, course)
    external_id = course["contentId"]

    assert sync.catalog().accepted == 1
    sync.sandbox.learning360.launch(ann, external_id)
    assert sync.attempts(ann, external_id) == [("completed", 0)]

    held = sync.statistics()
    assert (held.held, held.submitted) == (1, 0)
    assert sync.attempts(ann, external_id) == [("completed", 0)]

    sync.days_pass(1)
    row.update(overallProgress=45, lastActivityAt=sync.clock() - 1000)
    assert sync.statistics().accepted == 1
    assert sync.attempts(ann, external_id) == [("completed", 0), ("open", 45)]
