"""Who must get which text: computed anew from the simulated members, with nothing of the system.

The simulator knows which of its rows are dirty and how, so no rule about phone numbers is needed
here beyond dropping what people write between digits.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from simulators.imis.people import ALIASES, People

# Rows that nobody can be texted by, or that say what another row has said.
TEXTLESS = frozenset({"invalid number", "empty number", "repeated row"})
# What stands for a campaign's number in texts that are of none of the numbered ones.
URGENT, JOB = 0, -1
JOB_TEMPLATE = "The job: hello ${FullName}"
_NUMBERED = re.compile(r"Notice (\d+): ")
_FIELD = re.compile(r"\$\{([^}]*)\}")
_NOT_DIALLED = re.compile(r"\D")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True)
class Text:
    """One text that one member must get once."""

    campaign: int
    imis_id: str
    to: str
    body: str


def template(campaign: int) -> str:
    """The text of a campaign, which no other campaign has."""
    return (
        f"Notice {campaign}: hello ${{FullName}}, your dues of ${{Balance}} are due on 1 May. "
        "Member since ${Member Since}."
    )


def campaign_of(body: str) -> int | None:
    """Return the number of the campaign that a text is of, if it is of a numbered one."""
    found = _NUMBERED.match(body)
    return None if found is None else int(found[1])


def urgent_text(number: int) -> Text:
    """One text of its own, to another number of a member of the recurring campaign."""
    return Text(URGENT, job_rows(1)[0][0], f"+1213456{1000 + number}", f"Urgent: {number}.")


def job_rows(members: int) -> list[tuple[str, str, str]]:
    """Return the audience of the recurring campaign: whom nothing else is sent to."""
    return [(f"{900_000 + n}", f"Member {n}", f"+1213457{1000 + n}") for n in range(members)]


def job_texts(members: int, occurrences: int) -> list[Text]:
    """Each text of the recurring campaign: the same one at each of its times."""
    return [
        Text(JOB, imis_id, to, f"The job: hello {name}")
        for imis_id, name, to in job_rows(members)
        for _ in range(occurrences)
    ]


def texts_of(people: People, campaign: int) -> list[Text]:
    """Each text of the campaign."""
    indexes = range(len(people))
    return [
        _text(campaign, people.row(index))
        for index in indexes
        if people.kind(index) not in TEXTLESS
    ]


def _text(campaign: int, row: tuple[object, ...]) -> Text:
    values = dict(zip(ALIASES, map(_plain, row), strict=True))
    body = _FIELD.sub(lambda field: values[field[1]], template(campaign))
    return Text(campaign, values["iMIS Id"], _dialled(values["Mobile Phone"]), body)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        # A date, as it is written in the United States.
        joined = datetime.fromisoformat(value["$value"])
        return f"{_MONTHS[joined.month - 1]} {joined.day}, {joined.year}"
    return "" if value is None else str(value)


def _dialled(phone: str) -> str:
    digits = _NOT_DIALLED.sub("", phone)
    return f"+{digits}" if phone.strip().startswith("+") else f"+1{digits}"
