"""The words of each alert: what happened, what it means for the texts, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from notifier.domain.notices import Facts, Kind, Notice
from notifier.domain.words import counted, moment


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around a notice: which campaign and run, and the organisation's clock."""

    campaign: str = field(default="", repr=False)
    run_due_at: datetime | None = None
    test: bool = False
    zone: str = "UTC"
    meaning: str = ""
    """Of the notice's error code."""
    advice: str = ""
    """What to do about it."""
    refusals: Sequence[tuple[str, int]] = ()
    """iMIS's reasons, with how many activities each."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, in words."""

    title: str = field(repr=False)
    lines: tuple[str, ...] = field(repr=False)
    advice: str = field(repr=False)


def alert(notice: Notice, around: Around) -> Alert:
    """Return an alert's words."""
    name = f"“{around.campaign}”" if around.campaign else "A text"
    if around.test:
        name = f"[TEST] {name}"
    title, lines, advice = _said(notice, around, name)
    when = (
        ()
        if around.run_due_at is None
        else (f"The run of {moment(around.run_due_at, around.zone)}.",)
    )
    return Alert(title, tuple(each for each in (*when, *lines) if each), advice)


def _said(notice: Notice, around: Around, name: str) -> tuple[str, tuple[str, ...], str]:
    facts, kind = notice.facts, notice.kind
    match kind:
        case Kind.RUN_FAILED:
            return (
                f"{name} could not run",
                (str(facts["reason"]), "No text was sent by this run."),
                "Mend the cause, then schedule the campaign again; a recurring one runs at its "
                "next time.",
            )
        case Kind.DOES_NOT_ADD_UP:
            return (
                f"{name}: the run does not add up",
                (str(facts["detail"]),),
                _advice(
                    facts,
                    "Tell your Text Manager operator: `textmanager audit run` shows each row.",
                ),
            )
        case Kind.STALLED:
            return (
                f"{name}: the run stands still",
                (str(facts["detail"]),),
                _advice(facts, "Tell your Text Manager operator if it does not go on by itself."),
            )
        case Kind.ERROR_SPIKE:
            return (
                f"{name} paused by itself: error {facts['error_code'] or 'unknown'}",
                (
                    str(facts["detail"]),
                    _meaning(facts, around),
                    "Nothing more of it is sent until you resume it; what waits is not lost.",
                ),
                _advice(facts, "Look into the error, then resume the campaign or cancel it."),
            )
        case Kind.CONFIGURATION:
            return (
                f"{name} paused by itself: error {facts['error_code'] or 'unknown'}",
                (
                    "Twilio refused a text for a cause that every further text would meet.",
                    _meaning(facts, around),
                    f"{_texts(facts)} wait and are not lost.",
                ),
                around.advice
                or "Mend the cause at Twilio or in the settings, then resume the campaign.",
            )
        case Kind.PAUSED:
            return (
                f"{name} paused by itself",
                (str(facts["reason"]),),
                "Look into the cause, then resume the campaign or cancel it.",
            )
        case Kind.AUDIENCE_EMPTY:
            return (
                f"{name}: the audience is empty",
                (str(facts["detail"]), "The run is complete, and nobody was texted."),
                _advice(facts, "See whether the query still returns whom you mean."),
            )
        case Kind.AUDIENCE_SHRANK:
            return (
                f"{name}: far fewer members than last time",
                (str(facts["detail"]), "The run goes on with those that there are."),
                _advice(facts, "See whether the query still returns whom you mean."),
            )
        case _:
            return _said_of_the_rest(notice, around, name)


def _said_of_the_rest(
    notice: Notice, around: Around, name: str
) -> tuple[str, tuple[str, ...], str]:
    facts, kind, zone = notice.facts, notice.kind, around.zone
    match kind:
        case Kind.DAY_LIMIT | Kind.RUN_LIMIT:
            limit = "day's" if kind is Kind.DAY_LIMIT else "campaign's"
            until = facts.get("until")
            became = (
                f"{_texts(facts)} are left out."
                if facts["left_out"]
                else f"{_texts(facts)} wait for the next day and are not lost."
            )
            first = "" if until is None else f"The first leave on {_moment(until, zone)}."
            return (
                f"{name}: the {limit} limit is reached",
                (became, first),
                "The limits are in the settings.",
            )
        case Kind.IMIS_REFUSED:
            return (
                "iMIS refuses our account",
                (
                    str(facts["reason"]),
                    "Runs that need iMIS wait, and so does what is to be written to it. Texts "
                    "that are already prepared are still sent.",
                ),
                "Save the iMIS account anew in the settings; then all goes on by itself.",
            )
        case Kind.DID_NOT_RUN:
            return (
                f"{name} did not run",
                (f"It was due on {_moment(facts['due_at'], zone)}, and no run has begun.",),
                "Tell your Text Manager operator: the scheduler may be down, or the organisation "
                "has no number to send from.",
            )
        case Kind.SKIPPED:
            times = counted(int(facts["occurrences"]), "time", "times")
            return (
                f"{name}: {times} passed unused",
                (
                    f"From {_moment(facts['first'], zone)} to {_moment(facts['last'], zone)}.",
                    "Nothing was sent for them, as the campaign's rule for missed times says.",
                ),
                "Send a one-time campaign if the texts are still wanted.",
            )
        case Kind.ACTIVITIES_REFUSED:
            return (
                f"{name}: iMIS did not take every activity",
                tuple(
                    f"{counted(count, 'activity', 'activities')}: {reason}"
                    for reason, count in around.refusals
                ),
                "No text is changed by it. Mend the cause, then try the run's activities again.",
            )
        case Kind.REVIEWS:
            return (
                "A member's reply waits for you to read it",
                ("It may be a wish to get no more texts.",),
                "Read the open replies in Text Manager, and opt the members out or dismiss them.",
            )
        case (
            Kind.REPORT
            | Kind.LATE_REPORT
            | Kind.RUN_FAILED
            | Kind.DOES_NOT_ADD_UP
            | Kind.STALLED
            | Kind.ERROR_SPIKE
            | Kind.CONFIGURATION
            | Kind.PAUSED
            | Kind.AUDIENCE_EMPTY
            | Kind.AUDIENCE_SHRANK
        ):
            raise ValueError("a report is no alert, and the others have their words already")
        case _:
            assert_never(kind)


def together(kind: Kind, alerts: Sequence[Alert]) -> str:
    """Return the title of several alerts of one kind in one mail."""
    if kind is Kind.REVIEWS:
        return f"{len(alerts)} replies of members wait for you to read them"
    return f"{len(alerts)} alerts: {alerts[0].title}, and more"


def _advice(facts: Facts, otherwise: str) -> str:
    return str(facts.get("advice") or otherwise)


def _meaning(facts: Facts, around: Around) -> str:
    code = facts.get("error_code")
    return f"Error {code}: {around.meaning}" if code and around.meaning else ""


def _texts(facts: Facts) -> str:
    texts = counted(int(facts["messages"]), "text")
    return f"{texts} ({counted(int(facts['segments']), 'segment')})"


def _moment(iso: str, zone: str) -> str:
    return moment(datetime.fromisoformat(iso), zone)
