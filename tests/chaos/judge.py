"""The judge: the outsides' records against the audience computed anew.

It shares no rule with the system. What Twilio took is compared with what each member must get,
what iMIS holds with what Twilio took, and what the system says with both.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from math import inf
from uuid import UUID

from tests.chaos.expected import URGENT, campaign_of
from tests.chaos.records import Accepted, Records
from tests.chaos.verdict import Verdict

WINDOW_SECONDS = 1.0
# The way to Twilio isn't equally long for each text: they may come closer together than they
# left, above all from a machine on which everything runs at once and is killed all the time.
JITTER_SECONDS = 0.5
# What was waiting when the simulator stood still is taken within this time.
WAKING_SECONDS = 0.2
# Between a stop's entry in the log and the last text that may still have been on its way.
STOP_SECONDS = 2.0
BLOCKED_BY_TWILIO = 21610


def judge(records: Records) -> Verdict:
    """Say what is wrong, if anything is."""
    verdict = Verdict(messages=len(records.expected), accepted=len(records.accepted))
    messages = _messages_by_text(records)
    _each_text_went_out_once(records, messages, verdict)
    _each_activity_is_there_once(records, messages, verdict)
    _each_status_is_twilio_s(records, messages, verdict)
    _no_window_is_over_the_limit(records, verdict)
    _stops_were_heard_in_time(records, messages, verdict)
    _what_staff_held_stayed(records, messages, verdict)
    _each_has_one_end(records, verdict)
    _each_occurrence_came_once(records, verdict)
    _each_report_was_mailed_once(records, verdict)
    says = records.says
    for message_id in sorted(says.unresolved):
        verdict.find("unknown", "nobody can tell whether it was sent", of=message_id)
    for run_id in says.unfinished:
        verdict.find("unfinished_runs", run_id)
    if says.dead_letters:
        verdict.find("dead_letters", f"{says.dead_letters} in all", times=says.dead_letters)
    return verdict


Key = tuple[str, str]
"""A number and a text."""


def _messages_by_text(records: Records) -> dict[Key, list[UUID]]:
    found: defaultdict[Key, list[UUID]] = defaultdict(list)
    for message_id, key in records.says.resolved.items():
        found[key].append(message_id)
    return found


def _first(messages: dict[Key, list[UUID]], key: Key) -> UUID | None:
    return next(iter(messages.get(key, [])), None)


def _each_text_went_out_once(
    records: Records, messages: dict[Key, list[UUID]], verdict: Verdict
) -> None:
    wanted = Counter((text.to, text.body) for text in records.expected)
    taken = Counter((each.to, each.body) for each in records.accepted)
    for key, times in (taken - wanted).items():
        if key in wanted:
            verdict.find("sent_twice", f"{times} too many", of=_first(messages, key), times=times)
        else:
            verdict.find("wrong_text", "it is nobody's", of=_first(messages, key), times=times)
    urgent = {(text.to, text.body) for text in records.expected if text.campaign == URGENT}
    for key, times in (wanted - taken).items():
        if _are_left_out(records, key, messages.get(key, []), times):
            continue
        figure = "urgent_lost" if key in urgent else "lost"
        verdict.find(figure, "never accepted", of=_first(messages, key), times=times)


def _are_left_out(records: Records, key: Key, messages: list[UUID], times: int) -> bool:
    """Whether so many of these have been left out, for a reason that there was."""
    says = records.says
    to, body = key
    left_out: set[UUID] = set()
    if to in records.stopped:
        left_out |= says.opted_out.intersection(messages)
        left_out |= {
            each
            for each in messages
            if (said := says.said.get(each)) and said.error_code == BLOCKED_BY_TWILIO
        }
    if campaign_of(body) in records.cancelled:
        left_out |= says.cancelled.intersection(messages)
    return len(left_out) >= times


def _each_activity_is_there_once(
    records: Records, messages: dict[Key, list[UUID]], verdict: Verdict
) -> None:
    taken = Counter((each.to, each.body) for each in records.accepted)
    wanted: Counter[tuple[str, str, str]] = Counter()
    for text in records.expected:
        key = (text.to, text.body)
        if taken[key] > 0:
            taken[key] -= 1
            wanted[(text.imis_id, *key)] += 1
    held = Counter((each.imis_id, each.to, each.body) for each in records.activities)
    for (_, to, body), times in (wanted - held).items():
        message_id = _first(messages, (to, body))
        verdict.find("activities_missing", "not in iMIS", of=message_id, times=times)
    for (_, to, body), times in (held - wanted).items():
        message_id = _first(messages, (to, body))
        verdict.find("activities_twice", f"{times} too many", of=message_id, times=times)


def _each_status_is_twilio_s(
    records: Records, messages: dict[Key, list[UUID]], verdict: Verdict
) -> None:
    says = records.says
    by_sid = {said.sid: (message_id, said) for message_id, said in says.said.items() if said.sid}
    for each in records.accepted:
        message_id, said = by_sid.pop(each.sid, (_first(messages, (each.to, each.body)), None))
        if said is None or said.status != each.status:
            logged = "nothing" if said is None else said.status
            words = f"{each.status} at Twilio, {logged} in the log"
            verdict.find("wrong_final_status", words, of=message_id)
    for message_id, _ in by_sid.values():
        verdict.find("wrong_final_status", "Twilio knows no such SID", of=message_id)
    for message_id, said in says.said.items():
        if (shown := says.shown.get(message_id)) != said.status:
            words = f"{said.status} in the log, {shown} in the read model"
            verdict.find("wrong_final_status", words, of=message_id)


def _no_window_is_over_the_limit(records: Records, verdict: Verdict) -> None:
    rate = records.segments_per_second
    for sender in sorted({each.sender for each in records.accepted}):
        texts = sorted((e for e in records.accepted if e.sender == sender), key=lambda e: e.at)
        for window in _windows(texts):
            segments = sum(each.segments for each in window)
            limit = rate * (WINDOW_SECONDS + JITTER_SECONDS) + records.burst
            if segments <= limit:
                continue
            # What came while the simulator stood still seems to have come just after.
            limit += rate * _stood_still(records, window[0].at, window[-1].at)
            if segments > limit:
                words = f"{segments} segments within a second, {limit:.1f} are allowed"
                verdict.find("limit_exceeded_windows", words)


def _stood_still(records: Records, begin: float, end: float) -> float:
    """For how long what seems to have come in this time may have been waiting already."""
    return sum(
        until - since
        for since, until in records.stalls
        if since < end and until > begin - WAKING_SECONDS
    )


def _windows(texts: list[Accepted]) -> Iterator[deque[Accepted]]:
    """Each second that ends with an accepted text."""
    window: deque[Accepted] = deque()
    for each in texts:
        window.append(each)
        while window[0].at <= each.at - WINDOW_SECONDS:
            window.popleft()
        yield window


def _stops_were_heard_in_time(
    records: Records, messages: dict[Key, list[UUID]], verdict: Verdict
) -> None:
    consents = records.says.consents
    for number in sorted(records.stopped):
        if not any(out for _, out in consents.get(number, [])):
            verdict.find("stops_unheard", "a member's stop is not in the log")
    for each in records.accepted:
        before = [(at, out) for at, out in consents.get(each.to, []) if at < each.at - STOP_SECONDS]
        if before and max(before)[1]:
            late = each.at - max(before)[0]
            message_id = _first(messages, (each.to, each.body))
            verdict.find("opted_out_late", f"accepted {late:.1f} s after the stop", of=message_id)


def _what_staff_held_stayed(
    records: Records, messages: dict[Key, list[UUID]], verdict: Verdict
) -> None:
    """No POST later than two seconds after the answer: of a pause, a panic stop, a cancel."""
    holds = [(hold.since, hold.until, hold.campaign) for hold in records.holds]
    holds += [(at, inf, number) for number, at in records.cancelled.items()]
    for each in records.accepted:
        campaign = campaign_of(each.body)
        for since, until, held in holds:
            if held in {None, campaign} and since + STOP_SECONDS < each.arrived < until:
                late = each.arrived - since - _stood_still(records, since, each.arrived)
                if late > STOP_SECONDS:
                    message_id = _first(messages, (each.to, each.body))
                    words = f"came {late:.1f} s after staff were told that nothing would"
                    verdict.find("late_after_stop", words, of=message_id)


def _each_has_one_end(records: Records, verdict: Verdict) -> None:
    says = records.says
    for message_id in sorted(says.cancelled | says.opted_out):
        said = says.said.get(message_id)
        if said is not None and said.sid is not None:
            words = f"left out, and {said.status}"
            verdict.find("two_ends", words, of=message_id)


def _each_occurrence_came_once(records: Records, verdict: Verdict) -> None:
    came, due = Counter(records.says.occurrences), Counter(records.due)
    for occurrence, times in (due - came).items():
        verdict.find("occurrences_missing", occurrence, times=times)
    for occurrence, times in (came - due).items():
        verdict.find("occurrences_twice", occurrence, times=times)


def _each_report_was_mailed_once(records: Records, verdict: Verdict) -> None:
    for address, wanted in records.reports_due.items():
        mailed = records.reports.get(address, 0)
        if mailed < wanted:
            words = f"{mailed} of {wanted} reports to {address}"
            verdict.find("mails_missing", words, times=wanted - mailed)
        if mailed > wanted:
            words = f"{mailed} reports to {address}, not {wanted}"
            verdict.find("mails_twice", words, times=mailed - wanted)
