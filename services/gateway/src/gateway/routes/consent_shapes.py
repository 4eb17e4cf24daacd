"""How opting out looks in requests and answers."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from contracts.events.consent import Consent, ConsentCause, ConsentDecided, ReviewStatus
from gateway.routes.organization_shapes import Fields
from gateway.routes.texts import Text
from gateway.routes.uploads import RejectedLine
from readmodels.views import OptOutView, ReviewView


class ConsentFields(Fields):
    """Whose number it is about."""

    number: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=64,
            examples=["+14155552671"],
            description="As people write it; the default country counts.",
        ),
    ]
    from_number: Annotated[
        Text, Field(max_length=64, description="One of your numbers; empty: all of them.")
    ] = ""
    note: Text = ""


class ConsentView(BaseModel):
    """What was asked for; the list of opt-outs shows it within a moment."""

    decision_id: UUID
    number: str
    from_number: str
    consent: Consent

    @classmethod
    def of(cls, decided: ConsentDecided) -> "ConsentView":
        """Show a decision."""
        return cls(
            decision_id=decided.decision_id,
            number=decided.number,
            from_number=decided.from_number,
            consent=decided.consent,
        )


class OptOutShown(BaseModel):
    """A number that may not be texted."""

    consent_id: UUID
    number: str
    from_number: str = Field(description="The sending number that it is about; empty: all.")
    cause: ConsentCause
    word: str = Field(description="The word that the member texted.")
    by: str
    since: AwareDatetime

    @classmethod
    def of(cls, found: OptOutView) -> "OptOutShown":
        """Show an opt-out."""
        return cls(
            consent_id=found.consent_id,
            number=found.number,
            from_number=found.from_number,
            cause=found.cause,
            word=found.word,
            by=found.by,
            since=found.changed_at,
        )


class OptOutList(BaseModel):
    """Some of the numbers that may not be texted."""

    items: list[OptOutShown]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next ones.")


class ImportReport(BaseModel):
    """What of a file counts."""

    import_id: UUID
    taken: int
    rejected_lines: int
    rejected: list[RejectedLine] = Field(description="The first hundred.")


class ReviewShown(BaseModel):
    """A member's text that may be a wish to be left alone."""

    review_id: UUID
    number: str
    from_number: str
    text: str
    received_at: AwareDatetime
    status: ReviewStatus
    by: str

    @classmethod
    def of(cls, found: ReviewView) -> "ReviewShown":
        """Show a text."""
        return cls(**found.model_dump())


class ReviewList(BaseModel):
    """Some of the texts that a person has to read."""

    items: list[ReviewShown]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next ones.")


class ReviewFields(Fields):
    """What the text meant."""

    status: Literal["opted_out", "dismissed"]


class ReviewDecisionView(BaseModel):
    """What was decided; the list shows it within a moment."""

    review_id: UUID
    status: Literal["opted_out", "dismissed"]
