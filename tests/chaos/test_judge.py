"""The judge sees each thing that can go wrong, in records that were doctored."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from uuid import UUID, uuid5

import pytest
from tests.chaos.expected import Text, template, texts_of
from tests.chaos.judge import JITTER_SECONDS, judge
from tests.chaos.records import Accepted, Activity, Records, Said, SystemSays

from simulators.imis.people import People

NAMESPACE = UUID(int=7)
RATE = 10.0
MEMBERS = 200
SENDER = "+18885550100"
# A plain row: one number, one member.
ONE = 3


def message_of(text: Text) -> UUID:
    return uuid5(NAMESPACE, f"{text.to} {text.body}")


def accepted_of(number: int, text: Text) -> Accepted:
    at = 1000.0 + number / RATE
    return Accepted(f"SM{number}", text.to, text.body, "delivered", 1, at, SENDER, at)


def honest() -> Records:
    """Two campaigns of which everything went as it should."""
    people = People(MEMBERS, 3)
    expected = [*texts_of(people, 1), *texts_of(people, 2)]
    says = SystemSays(
        resolved={message_of(each): (each.to, each.body) for each in expected},
        said={message_of(t): Said("delivered", f"SM{n}") for n, t in enumerate(expected)},
        shown={message_of(each): "delivered" for each in expected},
    )
    return Records(
        expected=expected,
        accepted=[accepted_of(n, each) for n, each in enumerate(expected)],
        activities=[Activity(n, t.imis_id, t.to, t.body) for n, t in enumerate(expected)],
        stopped={},
        says=says,
        segments_per_second=RATE,
    )


def wrong(records: Records) -> dict[str, int]:
    return {name: count for name, count in asdict(judge(records).figures).items() if count}


def test_an_honest_run_is_good() -> None:
    records = honest()
    assert wrong(records) == {}
    verdict = judge(records)
    assert verdict.good
    assert verdict.messages == verdict.accepted == len(records.expected) > MEMBERS


def without_a_text(records: Records) -> Records:
    """The text never left; its activity and its status weren't told either."""
    gone = message_of(records.expected[ONE])
    says = records.says
    says.said.pop(gone)
    says.shown.pop(gone)
    return replace(
        records,
        accepted=[*records.accepted[:ONE], *records.accepted[ONE + 1 :]],
        activities=[*records.activities[:ONE], *records.activities[ONE + 1 :]],
    )


def with_one_twice(records: Records) -> Records:
    """The system itself knows of one text only, as after a repeat on a guess."""
    again = replace(records.accepted[ONE], sid="SMx", at=records.accepted[-1].at + 5)
    return replace(records, accepted=[*records.accepted, again])


def with_a_strange_text(records: Records) -> Records:
    changed = replace(records.accepted[ONE], body="Somebody else's")
    return replace(
        records, accepted=[*records.accepted[:ONE], changed, *records.accepted[ONE + 1 :]]
    )


def without_an_activity(records: Records) -> Records:
    return replace(records, activities=records.activities[1:])


def with_an_activity_twice(records: Records) -> Records:
    again = replace(records.activities[0], seqn=9999)
    return replace(records, activities=[*records.activities, again])


def with_another_s_activity(records: Records) -> Records:
    changed = replace(records.activities[0], imis_id="0")
    return replace(records, activities=[changed, *records.activities[1:]])


def with_a_wrong_status(records: Records) -> Records:
    message_id = message_of(records.expected[ONE])
    records.says.said[message_id] = Said("sent", f"SM{ONE}")
    records.says.shown[message_id] = "sent"
    return records


def with_a_stale_read_model(records: Records) -> Records:
    records.says.shown[message_of(records.expected[ONE])] = "sent"
    return records


def with_a_sid_of_nobody_s(records: Records) -> Records:
    records.says.said[UUID(int=1)] = Said("delivered", "SMnone")
    records.says.shown[UUID(int=1)] = "delivered"
    return records


def with_an_unknown_message(records: Records) -> Records:
    records.says.unresolved.add(message_of(records.expected[ONE]))
    return records


def with_a_burst(records: Records) -> Records:
    """One segment more than the rate, the burst and the jitter, within a second."""
    allowed = int(RATE * (2 + JITTER_SECONDS))
    first = records.accepted[: allowed + 1]
    together = [replace(each, at=1000.0 + n / 100) for n, each in enumerate(first)]
    apart = [replace(each, at=each.at + 1000) for each in records.accepted[allowed + 1 :]]
    return replace(records, accepted=[*together, *apart])


def with_a_late_text(records: Records) -> Records:
    """Accepted more than two seconds after the stop was in the log."""
    text = records.accepted[-1]
    records.says.consents[text.to] = [(text.at - 2.1, True)]
    return replace(records, stopped={text.to: text.at - 3})


def with_a_stop_that_nobody_heard(records: Records) -> Records:
    return replace(records, stopped={records.accepted[ONE].to: 1.0})


def with_an_unfinished_run(records: Records) -> Records:
    records.says.unfinished.append("a run")
    return records


def with_a_dead_letter(records: Records) -> Records:
    records.says.dead_letters = 1
    return records


@pytest.mark.parametrize(
    ("doctor", "seen"),
    [
        (without_a_text, {"lost": 1}),
        (with_one_twice, {"sent_twice": 1, "wrong_final_status": 1}),
        (
            with_a_strange_text,
            {"lost": 1, "wrong_text": 1, "activities_twice": 1},
        ),
        (without_an_activity, {"activities_missing": 1}),
        (with_an_activity_twice, {"activities_twice": 1}),
        (with_another_s_activity, {"activities_missing": 1, "activities_twice": 1}),
        (with_a_wrong_status, {"wrong_final_status": 1}),
        (with_a_stale_read_model, {"wrong_final_status": 1}),
        (with_a_sid_of_nobody_s, {"wrong_final_status": 1}),
        (with_an_unknown_message, {"unknown": 1}),
        (with_a_burst, {"limit_exceeded_windows": 1}),
        (with_a_late_text, {"opted_out_late": 1}),
        (with_a_stop_that_nobody_heard, {"stops_unheard": 1}),
        (with_an_unfinished_run, {"unfinished_runs": 1}),
        (with_a_dead_letter, {"dead_letters": 1}),
    ],
)
def test_what_is_wrong_is_seen(doctor: Callable[[Records], Records], seen: dict[str, int]) -> None:
    assert wrong(doctor(honest())) == seen


def test_what_came_while_the_simulator_stood_still_came_in_that_time() -> None:
    records = with_a_burst(honest())
    assert wrong(replace(records, stalls=[(999.8, 1000.0)])) == {}
    assert wrong(replace(records, stalls=[(998.0, 999.7)])) == {"limit_exceeded_windows": 1}


def test_as_many_as_are_allowed_within_a_second_are_no_finding() -> None:
    records = with_a_burst(honest())
    assert wrong(replace(records, accepted=records.accepted[1:]))["lost"] == 1
    assert "limit_exceeded_windows" not in wrong(replace(records, accepted=records.accepted[1:]))


def left_out(records: Records) -> tuple[Records, UUID]:
    """The owner of a number texted a stop before the text was sent."""
    text = records.expected[ONE]
    without = without_a_text(records)
    without.says.consents[text.to] = [(900.0, True)]
    others = [each for each in without.accepted if each.to != text.to]
    gone = {each.sid for each in without.accepted if each.to == text.to}
    for message_id, said in list(without.says.said.items()):
        if said.sid in gone:
            without.says.said.pop(message_id)
            without.says.shown.pop(message_id)
            without.says.opted_out.add(message_id)
    activities = [each for each in without.activities if each.to != text.to]
    stopped = replace(without, accepted=others, activities=activities, stopped={text.to: 899.0})
    return stopped, message_of(text)


def test_who_opted_out_is_accounted_for_by_the_exclusion() -> None:
    records, message_id = left_out(honest())
    assert wrong(records) == {"lost": 1}
    records.says.opted_out.add(message_id)
    assert wrong(records) == {}


def test_twilio_s_own_refusal_of_who_opted_out_accounts_for_them_too() -> None:
    records, message_id = left_out(honest())
    records.says.said[message_id] = Said("failed", None, 21610)
    records.says.shown[message_id] = "failed"
    assert wrong(records) == {}


def test_the_exclusion_of_who_never_opted_out_is_a_loss() -> None:
    records = without_a_text(honest())
    records.says.opted_out.add(message_of(records.expected[ONE]))
    assert wrong(records) == {"lost": 1}


def test_a_text_that_was_on_its_way_when_the_stop_came_is_not_late() -> None:
    records = honest()
    text = records.accepted[-1]
    records.says.consents[text.to] = [(text.at - 1.9, True)]
    assert wrong(replace(records, stopped={text.to: text.at - 3})) == {}


def test_after_a_start_texts_may_go_out_again() -> None:
    records = honest()
    text = records.accepted[ONE]
    records.says.consents[text.to] = [(text.at - 9, True), (text.at - 5, False)]
    assert wrong(replace(records, stopped={text.to: text.at - 10})) == {}


def test_a_finding_names_its_message() -> None:
    records = without_a_text(honest())
    assert [each.message_id for each in judge(records).findings] == [
        message_of(records.expected[ONE])
    ]


def test_the_audience_is_computed_from_the_rows_that_can_be_texted() -> None:
    texts = texts_of(People(100, 1), 4)
    assert len(texts) == 97, "one invalid number, one empty one and one repeated row are left out"
    assert all(each.to.startswith("+") and each.to[1:].isdecimal() for each in texts)
    assert {each.to[:3] for each in texts} >= {"+44", "+49"}
    assert all("${" not in each.body and each.body.startswith("Notice 4: ") for each in texts)
    assert template(4) != template(5)


def test_the_judge_shares_no_rule_with_the_system() -> None:
    here = Path(__file__).parent
    for name in ("judge.py", "verdict.py", "records.py", "expected.py", "job.py"):
        lines = (here / name).read_text().splitlines()
        imported = [each.split()[1] for each in lines if each.startswith(("from ", "import "))]
        own = {each.partition(".")[0] for each in imported}
        assert own <= {
            "collections",
            "dataclasses",
            "datetime",
            "math",
            "typing",
            "uuid",
            "re",
            "zoneinfo",
            "tests",
            "simulators",
        }, name
