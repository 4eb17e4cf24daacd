"""The judge sees what goes wrong with what staff order, in records that were doctored."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.chaos.expected import job_texts, urgent_text
from tests.chaos.records import Activity, Hold, Records, Said, SystemSays
from tests.chaos.test_judge import ONE, accepted_of, honest, message_of, without_a_text, wrong


def with_a_text_in_a_pause(records: Records) -> Records:
    """The first campaign was paused; a text of it came 2.05 s after the answer."""
    at = records.accepted[ONE].arrived - 2.05
    return replace(records, holds=[Hold(at, at + 2.08, campaign=1)])


def with_a_text_in_a_panic_stop(records: Records) -> Records:
    at = records.accepted[ONE].arrived - 2.05
    return replace(records, holds=[Hold(at, at + 2.08)])


def with_a_text_after_a_cancel(records: Records) -> Records:
    return replace(records, cancelled={2: records.accepted[-1].arrived - 2.01})


def with_two_ends(records: Records) -> Records:
    records.says.cancelled.add(message_of(records.expected[ONE]))
    return records


def without_an_occurrence(records: Records) -> Records:
    records.says.occurrences.append("2027-01-31T08:10:00")
    return replace(records, due=["2027-01-31T08:10:00", "2027-01-31T08:10:20"])


def with_an_occurrence_twice(records: Records) -> Records:
    records.says.occurrences += ["2027-01-31T08:10:00"] * 2
    return replace(records, due=["2027-01-31T08:10:00"])


def without_an_urgent_text(records: Records) -> Records:
    return replace(records, expected=[*records.expected, urgent_text(1)])


def without_a_job_s_text(records: Records) -> Records:
    """One member, two times, one text."""
    texts = job_texts(members=1, occurrences=2)
    return replace(without_all(records), expected=texts, accepted=[accepted_of(0, texts[0])])


def without_all(records: Records) -> Records:
    """Nothing but what is put in afterwards: one text, one activity, as they should be."""
    [text] = job_texts(members=1, occurrences=1)
    says = SystemSays(
        said={message_of(text): Said("delivered", "SM0")}, shown={message_of(text): "delivered"}
    )
    return replace(records, says=says, activities=[Activity(0, text.imis_id, text.to, text.body)])


def without_a_report(records: Records) -> Records:
    return replace(records, reports_due={"a@example.org": 2}, reports={"a@example.org": 1})


def with_a_report_twice(records: Records) -> Records:
    return replace(records, reports_due={"a@example.org": 1}, reports={"a@example.org": 2})


@pytest.mark.parametrize(
    ("doctor", "seen"),
    [
        (with_a_text_in_a_pause, {"late_after_stop": 1}),
        (with_a_text_in_a_panic_stop, {"late_after_stop": 1}),
        (with_a_text_after_a_cancel, {"late_after_stop": 1}),
        (with_two_ends, {"two_ends": 1}),
        (without_an_occurrence, {"occurrences_missing": 1}),
        (with_an_occurrence_twice, {"occurrences_twice": 1}),
        (without_an_urgent_text, {"urgent_lost": 1}),
        (without_a_job_s_text, {"lost": 1}),
        (without_a_report, {"mails_missing": 1}),
        (with_a_report_twice, {"mails_twice": 1}),
    ],
)
def test_what_is_wrong_is_seen(doctor: Callable[[Records], Records], seen: dict[str, int]) -> None:
    assert wrong(doctor(honest())) == seen


def test_what_was_cancelled_before_it_left_is_no_loss() -> None:
    records = without_a_text(honest())
    records.says.cancelled.add(message_of(records.expected[ONE]))
    assert wrong(records) == {"lost": 1}, "nobody cancelled it"
    assert wrong(replace(records, cancelled={1: records.accepted[-1].arrived})) == {}


def test_a_campaign_s_pause_holds_no_other_and_ends_with_the_resume() -> None:
    records = honest()
    at = records.accepted[ONE].arrived - 2.05
    assert wrong(replace(records, holds=[Hold(at, at + 2.08, campaign=2)])) == {}
    assert wrong(replace(records, holds=[Hold(at, at + 2.04, campaign=1)])) == {}
    assert wrong(replace(records, holds=[Hold(at + 0.1, at + 2.08, campaign=1)])) == {}
