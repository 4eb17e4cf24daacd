"""Pages keep their limits, follow each other, and add up."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audience.orders import NOON, due

from audience.domain.resolving import MOST_BYTES, Progress, Resolving, failure, say
from audience.domain.rows import Row
from audience.domain.verdicts import Accepted, Rejected, Verdict
from contracts import ids
from contracts.envelope import encode, seal
from contracts.events.audience import Reason, RecipientRejected, RecipientsResolved, Totals
from contracts.events.campaign import Purpose

DUE = due(name="Größe " * 20)


def accepted(number: int, text: str = "Hello", imis_id: str = "1") -> Accepted:
    zone = "America/Argentina/ComodRivadavia"
    return Accepted(Row(number, imis_id, "", {}), "+12025550143", text, 2, False, (), zone)


def rejected(number: int) -> Rejected:
    return Rejected(Row(number, "1", "12345", {}), Reason.INVALID_NUMBER)


def said(
    verdicts: list[Verdict], before: Resolving | None = None, *, stored: int
) -> tuple[Resolving, list[RecipientsResolved], list[RecipientRejected]]:
    after, events = say(DUE, verdicts, before or Resolving(), stored=stored, at=NOON)
    pages = [each for each in events if isinstance(each, RecipientsResolved)]
    return after, pages, [each for each in events if isinstance(each, RecipientRejected)]


def test_a_recipient_and_its_message_have_derived_ids() -> None:
    _, [page], [refusal] = said([rejected(1), accepted(2)], stored=2)
    [recipient] = page.recipients
    assert recipient.recipient_id == ids.recipient_id(DUE.run_id, 2)
    assert recipient.message_id == ids.message_id(recipient.recipient_id)
    assert refusal.recipient_id == ids.recipient_id(DUE.run_id, 1)
    assert (refusal.phone, refusal.reason) == ("12345", Reason.INVALID_NUMBER)
    assert page.totals == Totals(rows=2, recipients=1, rejected=1, segments=2)


def test_a_refused_cell_of_any_size_is_told_within_bounds() -> None:
    row = Row(1, "9" * 3_000_000, "5" * 3_000_000, {})
    _, _, [refusal] = said([Rejected(row, Reason.NO_MEMBER_ID)], stored=1)
    assert refusal.imis_id == "9" * 199 + "…"
    assert refusal.phone == "5" * 199 + "…"


def test_a_row_that_another_stands_for_names_its_member() -> None:
    shared = Rejected(Row(2, "2", "x", {}), Reason.SHARED_PHONE, "1")
    _, _, [refusal] = said([accepted(1), shared], stored=2)
    assert (refusal.imis_id, refusal.same_as_imis_id) == ("2", "1")


def test_x4_a_page_says_what_the_text_is_for_and_where_the_member_is() -> None:
    promotion = DUE.model_copy(update={"purpose": Purpose.PROMOTIONAL, "log_subject": "News"})
    _, [page] = say(promotion, [accepted(1)], Resolving(), stored=1, at=NOON, rows_last_time=40)
    assert isinstance(page, RecipientsResolved)
    assert (page.purpose, page.log_subject) == (Purpose.PROMOTIONAL, "News")
    assert page.recipients[0].zone == "America/Argentina/ComodRivadavia"
    assert page.totals is not None
    assert page.totals.rows_last_time == 40


def test_an_audience_of_nobody_has_one_empty_last_page() -> None:
    after, [page], _ = said([], stored=0)
    assert (page.sequence, page.recipients) == (1, ())
    assert page.totals == Totals(rows=0, recipients=0, rejected=0, segments=0)
    assert after.done


def test_rejected_rows_alone_make_a_page_only_at_the_end() -> None:
    after, pages, _ = said([rejected(1)], stored=2)
    assert (pages, after.pages) == ([], 0)
    _, [page], _ = said([rejected(2)], after, stored=2)
    assert (page.sequence, page.totals) == (
        1,
        Totals(rows=2, recipients=0, rejected=2, segments=0),
    )


def test_a_failure_comes_after_the_pages() -> None:
    assert failure(DUE, "No.", Progress(), at=NOON).sequence == 1


TEXTS = st.one_of(
    st.text(max_size=50),
    st.sampled_from(["x", "\x01", '"', "🎉", "я"]).map(lambda each: each * 1600),
)


@settings(deadline=None)
@given(
    st.lists(TEXTS, min_size=1, max_size=5),
    st.integers(0, 1300),
    st.text(max_size=10),
    st.integers(0, 5),
)
def test_pages_keep_both_limits_and_lose_nobody(
    texts: list[str], count: int, imis_id: str, rejections: int
) -> None:
    verdicts: list[Verdict] = [
        accepted(place + 1, texts[place % len(texts)], imis_id) for place in range(count)
    ]
    verdicts += [rejected(count + place + 1) for place in range(rejections)]
    after, pages, refusals = said(verdicts, stored=len(verdicts))
    assert [each.sequence for each in pages] == list(range(1, len(pages) + 1))
    assert [each.row for page in pages for each in page.recipients] == list(range(1, count + 1))
    assert all(len(page.recipients) <= 500 for page in pages)
    assert all(len(encode(seal(page))[1]) <= MOST_BYTES for page in pages)
    assert [page.totals is not None for page in pages] == [False] * (len(pages) - 1) + [True]
    assert pages[-1].totals == after.totals(rows_last_time=None)
    assert (after.recipients, after.rejected) == (count, len(refusals))
    assert after.segments == 2 * count
