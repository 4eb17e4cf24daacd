"""No storm of mails: of one kind and organisation only so many an hour, the rest in one mail."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from notifier.domain.notices import REPORTS, Kind, Notice, mail_id

HOUR = timedelta(hours=1)
Lane = tuple[UUID, Kind]
"""An organisation and a kind."""


@dataclass(slots=True)
class Ration:
    """What becomes of notices whose time has come; each is in one of the three."""

    each: list[Notice] = field(default_factory=list)
    """Mailed by itself."""
    together: dict[UUID, list[Notice]] = field(default_factory=dict)
    """Mailed in one mail, by that mail's id."""
    later: dict[UUID, datetime] = field(default_factory=dict)
    """Looked at again then."""


def allowed(kind: Kind, *, alerts_an_hour: int) -> int:
    """Return how many mails of a kind an organisation gets in an hour."""
    return 1 if kind is Kind.REVIEWS else alerts_an_hour


def ration(
    due: Sequence[Notice],
    past: Mapping[Lane, Sequence[datetime]],
    *,
    at: datetime,
    alerts_an_hour: int,
) -> Ration:
    """Decide on notices, given when others of their lanes were let through lately."""
    made = Ration()
    lanes: dict[Lane, list[Notice]] = defaultdict(list)
    for notice in due:
        if notice.kind in REPORTS:
            made.each.append(notice)
        else:
            lanes[notice.organization_id, notice.kind].append(notice)
    for lane, notices in lanes.items():
        most = allowed(lane[1], alerts_an_hour=alerts_an_hour)
        recent = sorted(each for each in past.get(lane, ()) if each > at - HOUR)
        free = most - len(recent)
        if free <= 0:
            # Then the earliest of those that fill the hour leaves it.
            opens = recent[-most] + HOUR
            made.later |= {each.mail_id: opens for each in notices}
        elif len(notices) <= free:
            made.each += notices
        else:
            made.together[mail_id("together", min(each.mail_id for each in notices))] = notices
    return made
