"""X-4: a message that waits for the morning; TM-14: a status that comes late."""

from itertools import permutations

import pytest
from tests.status.facts import at, callback, excluded, held, queued, submitted
from tests.status.test_message import folded, shown

from contracts.events.message import (
    MessageStatus,
    Unresolved,
)
from status.domain.folding import Fact, fold
from status.domain.message import Standing, standing, view


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ([queued(1), held(1)], MessageStatus.HELD),
        ([queued(1), held(1), submitted(1, sequence=3)], MessageStatus.SENT),
        ([queued(1), held(1), held(1, sequence=3)], MessageStatus.HELD),
        ([queued(1), held(1), callback(1, "delivered")], MessageStatus.DELIVERED),
        ([queued(1), held(1), excluded(1, sequence=3)], MessageStatus.PREPARING),
        (
            [queued(1), submitted(1, Unresolved(reason="timeout")), held(1, sequence=3)],
            MessageStatus.HELD,
        ),
        ([queued(1), held(1, sequence=1), submitted(1)], MessageStatus.SENT),
    ],
)
def test_x_4_a_message_is_held_while_a_hold_is_the_newest_that_was_said_of_it(
    facts: list[Fact], status: MessageStatus
) -> None:
    for order in permutations(facts):
        message = folded(*order)
        seen = view(message)
        assert seen is not None
        assert seen.status is status


def test_x_4_a_hold_is_told_once_however_often_it_is_put_off() -> None:
    message = folded(queued(1), held(1))
    assert (message.sequence, standing(message)) == (1, Standing.WAITING)
    assert fold(message, held(1)) is message
    assert fold(message, held(1, sequence=3)).sequence == 1
    assert fold(message, submitted(1, sequence=4)).sequence == 2


def test_tm_14_a_status_after_72_hours_is_still_taken() -> None:
    late = callback(1, "delivered").model_copy(update={"occurred_at": at(73 * 3600)})
    assert shown(queued(1), submitted(1), callback(1, "sent"), late)[0] is MessageStatus.DELIVERED
