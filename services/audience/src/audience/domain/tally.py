"""What a preview counts; it keeps no row but a few samples, and eight bytes of each."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from audience.domain.marks import Marks, digest_of
from audience.domain.verdicts import Accepted, Numbered, Pair, Seen, Verdict, pairs_of
from contracts.events.audience import (
    AudiencePreviewed,
    AudiencePreviewRequested,
    Reason,
    Sample,
)
from texting.segments import ucs2_characters

MOST_SAMPLES = 5
MOST_CHARACTERS = 20

PlaceOf = Callable[[str, str], str]
"""Tells where a member is by number and own time zone, as the quiet hours tell places apart."""


class Tally:
    """The figures of a preview, page after page."""

    def __init__(self, place_of: PlaceOf) -> None:
        self._place_of = place_of
        self._rows = 0
        self._excluded: Counter[Reason] = Counter()
        self._by_segments: Counter[int] = Counter()
        self._lacking_values = 0
        self._lacking_by_field: Counter[str] = Counter()
        self._ucs2_messages = 0
        self._ucs2_characters: Counter[str] = Counter()
        self._segments_by_place: Counter[str] = Counter()
        self._messages_by_place: Counter[str] = Counter()
        self._samples: list[Sample] = []
        self._pairs = Marks()
        self._phones = Marks()

    @property
    def rows(self) -> int:
        """How many rows were counted so far."""
        return self._rows

    def seen(self, rows: Sequence[Numbered]) -> Seen:
        """Return what earlier pages have of what these rows ask for."""
        pairs = pairs_of(rows)
        return Seen(
            {each for each in pairs if digest_of(*each) in self._pairs},
            # Whose they are a preview doesn't tell, and so doesn't keep.
            {number: "" for _, number in pairs if digest_of(number) in self._phones},
        )

    def add(
        self, verdicts: Sequence[Verdict], pairs: Iterable[Pair], *, opted_out: Collection[str]
    ) -> None:
        """Count a page; whoever opted out is left out last, as the sender does it."""
        self._rows += len(verdicts)
        for each in verdicts:
            if not isinstance(each, Accepted):
                self._excluded[each.reason] += 1
            elif each.to in opted_out:
                self._excluded[Reason.OPTED_OUT] += 1
            else:
                self._count(each)
        for pair in pairs:
            self._pairs.add(digest_of(*pair))
            self._phones.add(digest_of(pair[1]))

    def previewed(
        self, request: AudiencePreviewRequested, *, at: datetime, sequence: int
    ) -> AudiencePreviewed:
        """Say what it came to."""
        return AudiencePreviewed(
            organization_id=request.organization_id,
            occurred_at=at,
            sequence=sequence,
            preview_id=request.preview_id,
            campaign_id=request.campaign_id,
            contacts_returned=self._rows,
            recipients=self._by_segments.total(),
            excluded=dict(self._excluded),
            segments=sum(size * messages for size, messages in self._by_segments.items()),
            messages_by_segments=dict(sorted(self._by_segments.items())),
            lacking_values=self._lacking_values,
            ucs2_messages=self._ucs2_messages,
            lacking_by_field=dict(self._lacking_by_field.most_common()),
            ucs2_characters=dict(self._ucs2_characters.most_common(MOST_CHARACTERS)),
            segments_by_place=dict(sorted(self._segments_by_place.items())),
            messages_by_place=dict(sorted(self._messages_by_place.items())),
            samples=tuple(self._samples),
        )

    def _count(self, each: Accepted) -> None:
        self._by_segments[each.segments] += 1
        self._lacking_values += bool(each.missing)
        self._lacking_by_field.update(each.missing)
        if each.is_ucs2:
            self._ucs2_messages += 1
            self._ucs2_characters.update(ucs2_characters(each.text))
        place = self._place_of(each.to, each.zone)
        self._segments_by_place[place] += each.segments
        self._messages_by_place[place] += 1
        if len(self._samples) < MOST_SAMPLES:
            row = each.row
            self._samples.append(
                Sample(
                    row=row.number,
                    imis_id=row.imis_id,
                    to=each.to,
                    text=each.text,
                    segments=each.segments,
                )
            )


def not_previewed(
    request: AudiencePreviewRequested, sentence: str, *, at: datetime, sequence: int
) -> AudiencePreviewed:
    """Say why there is no preview."""
    return AudiencePreviewed(
        organization_id=request.organization_id,
        occurred_at=at,
        sequence=sequence,
        preview_id=request.preview_id,
        campaign_id=request.campaign_id,
        failure=sentence,
    )
