"""A query's prompts, and the campaign's answers to them; pure."""

from collections.abc import Sequence
from typing import Protocol

from contracts.events.campaign import Audience


class Prompt(Protocol):
    """Something that a query asks for."""

    @property
    def name(self) -> str:
        """Its label."""

    @property
    def property_name(self) -> str:
        """What it is about, in iMIS's words."""


def settled(audience: Audience, asked: Sequence[Prompt]) -> Audience:
    """Return the audience with its answers under the prompts' own names.

    A name is a prompt's label or its property, in any case and with or without its colon. Values
    in order are kept by name too: so a prompt that is renamed later fails the run, and doesn't get
    another one's value.
    """
    if audience.prompts and not audience.answers and len(audience.prompts) == len(asked):
        answers = dict(zip((each.name for each in asked), audience.prompts, strict=True))
        return audience.model_copy(update={"answers": answers, "prompts": ()})
    # A label counts before a property of the same name.
    names = {_plain(each.property_name): each.name for each in asked if each.property_name}
    names |= {_plain(each.name): each.name for each in asked}
    answers = {names.get(_plain(name), name): value for name, value in audience.answers.items()}
    return audience.model_copy(update={"answers": answers})


def _plain(name: str) -> str:
    return name.strip().removesuffix(":").strip().casefold()
