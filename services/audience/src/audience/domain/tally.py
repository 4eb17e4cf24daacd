"""What a preview counts; it keeps no row, only a short hash of what rows have."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import blake2b

from audience.domain.verdicts import Accepted, Numbered, Pair, Seen, Verdict, pairs_of
from contracts.events.audience import AudiencePreviewed, AudiencePreviewRequested, Reason


class Tally:
    """The figures of a preview, page after page."""

    def __init__(self) -> None:
        self._rows = 0
        self._excluded: Counter[Reason] = Counter()
        self._by_segments: Counter[int] = Counter()
        self._lacking_values = 0
        self._ucs2_messages = 0
        self._pairs: set[bytes] = set()
        self._phones: set[bytes] = set()

    def seen(self, rows: Sequence[Numbered]) -> Seen:
        """Return what earlier pages have of what these rows ask for."""
        pairs = pairs_of(rows)
        return Seen(
            {each for each in pairs if _pair(each) in self._pairs},
            {number for _, number in pairs if _hash(number) in self._phones},
        )

    def add(self, verdicts: Sequence[Verdict], pairs: Iterable[Pair]) -> None:
        """Count a page."""
        self._rows += len(verdicts)
        for each in verdicts:
            if isinstance(each, Accepted):
                self._by_segments[each.segments] += 1
                self._lacking_values += each.lacks_values
                self._ucs2_messages += each.is_ucs2
            else:
                self._excluded[each.reason] += 1
        for pair in pairs:
            self._pairs.add(_pair(pair))
            self._phones.add(_hash(pair[1]))

    def previewed(self, request: AudiencePreviewRequested, *, at: datetime) -> AudiencePreviewed:
        """Say what it came to."""
        return AudiencePreviewed(
            organization_id=request.organization_id,
            occurred_at=at,
            sequence=1,
            preview_id=request.preview_id,
            campaign_id=request.campaign_id,
            contacts_returned=self._rows,
            recipients=self._by_segments.total(),
            excluded=dict(self._excluded),
            segments=sum(size * messages for size, messages in self._by_segments.items()),
            messages_by_segments=dict(sorted(self._by_segments.items())),
            lacking_values=self._lacking_values,
            ucs2_messages=self._ucs2_messages,
        )


def not_previewed(
    request: AudiencePreviewRequested, sentence: str, *, at: datetime
) -> AudiencePreviewed:
    """Say why there is no preview."""
    return AudiencePreviewed(
        organization_id=request.organization_id,
        occurred_at=at,
        sequence=1,
        preview_id=request.preview_id,
        campaign_id=request.campaign_id,
        failure=sentence,
    )


def _pair(pair: Pair) -> bytes:
    return _hash("\x00".join(pair))


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=12).digest()
