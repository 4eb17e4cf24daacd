"""What a query asks for before it runs, and what the campaign answers.

A campaign has its answers by the prompts' names, or values in the prompts' order, or both: a name
counts before a place. EMS takes them by name and iMIS 2017 by place, but a 2017 site too can say
their names, so an answer to a prompt that isn't asked any more is found there as well. Nobody is
texted on the strength of an answer to another question.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audience.domain.failures import Unusable
from contracts.events.campaign import Audience


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt: the name that iMIS shows and takes, and the property that it is about."""

    name: str
    property_name: str = ""

    def is_called(self, name: str) -> bool:
        """Say whether an author means this prompt by the name."""
        return _plain(name) in {_plain(self.name), _plain(self.property_name)}


def answered(questions: Sequence[Question], audience: Audience) -> dict[str, str]:
    """Give each prompt its value, in iMIS's order, blank where there is none.

    Raises `Unusable` for a value whose prompt is gone.
    """
    _refuse_unasked(questions, audience)
    values: dict[str, str] = {}
    for place, question in enumerate(questions):
        by_name = [value for name, value in audience.answers.items() if question.is_called(name)]
        by_place = audience.prompts[place] if place < len(audience.prompts) else ""
        name = question.name if question.name not in values else f"{question.name} ({place + 1})"
        values[name] = by_name[0] if by_name else by_place
    return values


def refused(audience: Audience, values: Mapping[str, str], *, said: str) -> Unusable | None:
    """Say which prompts lack a value, when iMIS refuses a query; None if all have one."""
    blank = [name for name, value in values.items() if not value.strip()]
    if not blank:
        return None
    words = f" iMIS says: {said.rstrip('.')}." if said else ""
    return Unusable(
        f"The query {audience.iqa_path} asks for a value that the campaign doesn't give: "
        f"{_listed(blank)}.{words} Give it in the campaign's audience."
    )


def _refuse_unasked(questions: Sequence[Question], audience: Audience) -> None:
    gone = [
        name
        for name, value in audience.answers.items()
        if value and not any(question.is_called(name) for question in questions)
    ]
    asked = f"It asks for: {_listed([each.name for each in questions]) or 'nothing'}."
    if gone:
        raise Unusable(
            f"The query {audience.iqa_path} doesn't ask for {_listed(gone)} any more: the prompt "
            f"was renamed or removed in iMIS. {asked} Answer its prompts anew in the campaign's "
            "audience."
        )
    if any(audience.prompts[len(questions) :]):
        raise Unusable(
            f"The campaign gives {len(audience.prompts)} values to the query {audience.iqa_path}, "
            f"which asks for {len(questions)} now. {asked} Answer its prompts anew in the "
            "campaign's audience."
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _plain(name: str) -> str:
    return name.strip().removesuffix(":").strip().casefold()
