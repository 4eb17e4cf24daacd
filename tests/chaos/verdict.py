"""What a run comes to: figures that must be zero, and what was found."""

from dataclasses import asdict, dataclass, field
from uuid import UUID


@dataclass(slots=True)
class Figures:
    """What must be zero."""

    lost: int = 0
    sent_twice: int = 0
    wrong_text: int = 0
    activities_missing: int = 0
    activities_twice: int = 0
    wrong_final_status: int = 0
    unknown: int = 0
    limit_exceeded_windows: int = 0
    opted_out_late: int = 0
    stops_unheard: int = 0
    unfinished_runs: int = 0
    dead_letters: int = 0
    late_after_stop: int = 0
    two_ends: int = 0
    occurrences_missing: int = 0
    occurrences_twice: int = 0
    urgent_lost: int = 0
    mails_missing: int = 0
    mails_twice: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and the message that it is about, where there is one."""

    words: str
    message_id: UUID | None = None


@dataclass(slots=True)
class Verdict:
    """What the records add up to."""

    messages: int
    accepted: int
    figures: Figures = field(default_factory=Figures)
    findings: list[Finding] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether every figure that must be zero is."""
        return not any(asdict(self.figures).values())

    def find(self, figure: str, words: str, *, of: UUID | None = None, times: int = 1) -> None:
        """Count something that is wrong."""
        setattr(self.figures, figure, getattr(self.figures, figure) + times)
        self.findings.append(Finding(f"{figure}: {words}", of))
