"""docs/tour.md says what really happens, step by step."""

from pathlib import Path

import pytest
from tests.e2e.tour.system import tour_system
from tests.e2e.tour.walk import TOUR, alike, steps, walk

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


@pytest.mark.timeout(300)
def test_each_step_of_the_tour_shows_what_it_says(tmp_path: Path) -> None:
    tour = list(steps(TOUR.read_text("utf-8")))
    assert len(tour) > 20
    with tour_system(tmp_path) as environment:
        differing = [
            f"line {step.line}:\n{seen}\ninstead of\n{step.seen}"
            for step, seen in walk(tour, environment)
            if alike(seen) != alike(step.seen)
        ]
    assert not differing, "\n\n".join(differing)
