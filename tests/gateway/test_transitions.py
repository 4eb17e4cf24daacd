"""TM-12: what each step leads to in each state, or in which words it is refused."""

import pytest
from tests.gateway.fakes import NOON
from tests.gateway.lives import BY, RECURRING, campaign, sure
from tests.gateway.steps import COMMANDS, FOLLOWED
from tests.gateway.test_domain import DEFINITION

from contracts.events.campaign import (
    CampaignDefinition,
    CampaignKind,
    CampaignStatus,
)
from gateway.domain.transitions import TABLE, Command, Refused, move_of

S = CampaignStatus

# Of each state: what each command leads to. What isn't named is refused.
ALLOWED: dict[CampaignStatus, dict[Command, CampaignStatus]] = {
    S.DRAFT: {
        Command.EDIT: S.DRAFT,
        Command.SCHEDULE: S.SCHEDULED,
        Command.DELETE: S.DELETED,
        Command.ARCHIVE: S.ARCHIVED,
    },
    S.SCHEDULED: {
        Command.EDIT: S.SCHEDULED,
        Command.SCHEDULE: S.SCHEDULED,
        Command.DELETE: S.DELETED,
        Command.PAUSE: S.PAUSED,
        Command.CANCEL: S.CANCELLED,
    },
    S.SENDING: {Command.PAUSE: S.PAUSED, Command.CANCEL: S.CANCELLED},
    S.PAUSED: {
        Command.EDIT: S.PAUSED,
        Command.DELETE: S.DELETED,
        Command.RESUME: S.SCHEDULED,
        Command.CANCEL: S.CANCELLED,
    },
    S.COMPLETED: {Command.ARCHIVE: S.ARCHIVED},
    S.CANCELLED: {Command.ARCHIVE: S.ARCHIVED},
    S.ARCHIVED: {Command.RESTORE: S.DRAFT},
    S.DELETED: {},
}
ALLOWED_OF_RECURRING = {
    **ALLOWED,
    S.SENDING: {**ALLOWED[S.SENDING], Command.EDIT: S.SENDING, Command.DELETE: S.DELETED},
}


@pytest.mark.parametrize("command", Command)
@pytest.mark.parametrize("status", CampaignStatus)
@pytest.mark.parametrize(
    ("definition", "allowed"), [(DEFINITION, ALLOWED), (RECURRING, ALLOWED_OF_RECURRING)]
)
def test_tm12_each_command_in_each_state_is_allowed_or_refused_in_words(
    definition: CampaignDefinition,
    allowed: dict[CampaignStatus, dict[Command, CampaignStatus]],
    status: CampaignStatus,
    command: Command,
) -> None:
    before = campaign(status, definition)
    assert before.status is status
    after = COMMANDS[command](before, NOON)
    becomes = allowed[status].get(command)
    if becomes is None:
        assert isinstance(after, Refused)
        assert after.reason.endswith(".")
        return
    after = sure(after)
    assert after.status is becomes
    assert after.sequence == before.sequence + 1
    assert after.by == BY
    assert (after.campaign_id, after.organization_id) == (
        before.campaign_id,
        before.organization_id,
    )


def test_the_table_knows_every_command_in_every_state() -> None:
    for status in CampaignStatus:
        assert set(TABLE[status]) == set(Command)
        for kind in CampaignKind:
            assert all(move_of(status, command, kind) for command in Command)


ONE_TIME_FOLLOWS = {
    (S.SCHEDULED, "start"): S.SENDING,
    (S.SCHEDULED, "complete"): S.COMPLETED,
    (S.SCHEDULED, "hold"): S.PAUSED,
    (S.SENDING, "complete"): S.COMPLETED,
    (S.SENDING, "hold"): S.PAUSED,
    (S.PAUSED, "start"): S.PAUSED,
    (S.PAUSED, "complete"): S.COMPLETED,
}
RECURRING_FOLLOWS = {
    (S.SCHEDULED, "start"): S.SENDING,
    (S.SCHEDULED, "hold"): S.PAUSED,
    (S.SENDING, "complete"): S.SCHEDULED,
    (S.SENDING, "hold"): S.PAUSED,
    (S.PAUSED, "start"): S.PAUSED,
    (S.COMPLETED, "start"): S.SENDING,
}


@pytest.mark.parametrize("step", FOLLOWED)
@pytest.mark.parametrize("status", CampaignStatus)
@pytest.mark.parametrize(
    ("definition", "follows"), [(DEFINITION, ONE_TIME_FOLLOWS), (RECURRING, RECURRING_FOLLOWS)]
)
def test_tm12_each_thing_that_a_run_tells_changes_a_state_or_nothing(
    definition: CampaignDefinition,
    follows: dict[tuple[CampaignStatus, str], CampaignStatus],
    status: CampaignStatus,
    step: str,
) -> None:
    after = FOLLOWED[step](campaign(status, definition), NOON)
    becomes = follows.get((status, step))
    assert (None if after is None else sure(after).status) == becomes
