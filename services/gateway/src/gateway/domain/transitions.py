"""What staff may do to a campaign in each of its states: one table; pure."""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, assert_never

from contracts.events.campaign import CampaignKind, CampaignStatus


class Command(StrEnum):
    """What staff can ask of a campaign."""

    EDIT = "edit"
    SCHEDULE = "schedule"
    DELETE = "delete"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    ARCHIVE = "archive"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Refused:
    """The campaign's state doesn't allow it; the reason is for staff to read."""

    reason: str


class Back(Enum):
    """The next state is one that the campaign was in before."""

    WHERE_IT_WAS = "where it was"


Move = CampaignStatus | Back | Refused
_S = CampaignStatus
_BACK: Final = Back.WHERE_IT_WAS
_UNPAUSED = Refused("The campaign isn't paused.")
_SHOWN = Refused("The campaign isn't archived.")
_RAN = "The campaign has run"
_CANCELLED = "The campaign was cancelled"
_PUT_AWAY = Refused("The campaign is archived. Bring it back first.")
_GONE = Refused("The campaign was deleted.")

TABLE: Final[dict[CampaignStatus, dict[Command, Move]]] = {
    _S.DRAFT: {
        Command.EDIT: _S.DRAFT,
        Command.SCHEDULE: _S.SCHEDULED,
        Command.DELETE: _S.DELETED,
        Command.PAUSE: Refused("The campaign is a draft: there is nothing to pause."),
        Command.RESUME: _UNPAUSED,
        Command.CANCEL: Refused("The campaign is a draft: delete it, or archive it."),
        Command.ARCHIVE: _S.ARCHIVED,
        Command.RESTORE: _SHOWN,
    },
    _S.SCHEDULED: {
        Command.EDIT: _S.SCHEDULED,
        Command.SCHEDULE: _S.SCHEDULED,
        Command.DELETE: _S.DELETED,
        Command.PAUSE: _S.PAUSED,
        Command.RESUME: _UNPAUSED,
        Command.CANCEL: _S.CANCELLED,
        Command.ARCHIVE: Refused("The campaign is scheduled. Cancel it before you archive it."),
        Command.RESTORE: _SHOWN,
    },
    _S.SENDING: {
        Command.EDIT: Refused(
            "The campaign is sending, and its run keeps what it began with. To send something "
            "else, cancel it and copy it."
        ),
        Command.SCHEDULE: Refused("The campaign is sending; it can't be scheduled now."),
        Command.DELETE: Refused(
            "The campaign is sending; it can't be deleted now. Cancel it to stop it."
        ),
        Command.PAUSE: _S.PAUSED,
        Command.RESUME: _UNPAUSED,
        Command.CANCEL: _S.CANCELLED,
        Command.ARCHIVE: Refused("The campaign is sending. Wait for its end, or cancel it."),
        Command.RESTORE: _SHOWN,
    },
    _S.PAUSED: {
        Command.EDIT: _S.PAUSED,
        Command.SCHEDULE: Refused(
            "The campaign is paused: its time can't be changed now. Resume it before its time has "
            "come, or cancel it and copy it; resumed after its time, it runs at once."
        ),
        Command.DELETE: _S.DELETED,
        Command.PAUSE: Refused("The campaign is paused already."),
        Command.RESUME: _BACK,
        Command.CANCEL: _S.CANCELLED,
        Command.ARCHIVE: Refused("The campaign is paused. Cancel it before you archive it."),
        Command.RESTORE: _SHOWN,
    },
    _S.COMPLETED: {
        Command.EDIT: Refused(f"{_RAN}; it can't be edited any more. Copy it into a new one."),
        Command.SCHEDULE: Refused(f"{_RAN}. Copy it into a new one to send again."),
        Command.DELETE: Refused(f"{_RAN}; what it did is kept. Archive it instead."),
        Command.PAUSE: Refused(f"{_RAN}: there is nothing to pause."),
        Command.RESUME: _UNPAUSED,
        Command.CANCEL: Refused(f"{_RAN}: there is nothing to cancel."),
        Command.ARCHIVE: _S.ARCHIVED,
        Command.RESTORE: _SHOWN,
    },
    _S.CANCELLED: {
        Command.EDIT: Refused(f"{_CANCELLED}. Copy it into a new one."),
        Command.SCHEDULE: Refused(f"{_CANCELLED}. Copy it into a new one to send."),
        Command.DELETE: Refused(f"{_CANCELLED}; what it did is kept. Archive it instead."),
        Command.PAUSE: Refused(f"{_CANCELLED}: there is nothing to pause."),
        Command.RESUME: Refused(f"{_CANCELLED}, for good. Copy it into a new one to send."),
        Command.CANCEL: Refused(f"{_CANCELLED} already."),
        Command.ARCHIVE: _S.ARCHIVED,
        Command.RESTORE: _SHOWN,
    },
    _S.ARCHIVED: {each: _BACK if each is Command.RESTORE else _PUT_AWAY for each in Command},
    _S.DELETED: dict.fromkeys(Command, _GONE),
}
"""State and command give the next state, or why it is refused: of a campaign that runs once."""

OF_RECURRING: Final[dict[tuple[CampaignStatus, Command], Move]] = {
    # What is changed counts from the next run; the one under way keeps what it began with.
    (_S.SENDING, Command.EDIT): _S.SENDING,
    (_S.SENDING, Command.SCHEDULE): Refused("The campaign is scheduled already."),
    (_S.SENDING, Command.DELETE): _S.DELETED,
}
"""Where a recurring campaign differs."""

KEPT_FROM_RUNNING: Final = Refused(
    "A run of the campaign is under way. Say what becomes of it: run=finish lets it send the "
    "rest, run=cancel stops it."
)

HELD_AFTER_ITS_END: Final = Refused(
    f"{_RAN}, and what it missed is held while it is sent again. Resume the campaign or cancel it."
)
"""Of a completed campaign, whose resend was paused: it stays what it was when it ran."""


def move_of(status: CampaignStatus, command: Command, kind: CampaignKind) -> Move:
    """Return what a command leads to, or why it is refused."""
    match kind:
        case CampaignKind.ONE_TIME:
            return TABLE[status][command]
        case CampaignKind.RECURRING:
            return OF_RECURRING.get((status, command), TABLE[status][command])
        case _:
            assert_never(kind)
