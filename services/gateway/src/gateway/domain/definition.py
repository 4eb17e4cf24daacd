"""What an author may write, and what a campaign lacks before it can run; pure."""

from collections.abc import Iterator, Sequence

from contracts.events.campaign import CampaignDefinition, Mode
from contracts.events.organization import SendingNumber, Verification
from gateway.domain.refusals import Fault
from texting.template import Template, TemplateError, unknown_fields

TOO_FEW_COLUMNS = 2


def sending_number(
    definition: CampaignDefinition, numbers: Sequence[SendingNumber]
) -> SendingNumber | None:
    """Return the number that the campaign is sent from: the chosen one, else the first."""
    if definition.from_number is None:
        return numbers[0] if numbers else None
    return next((each for each in numbers if each.number == definition.from_number), None)


def must_read_columns(after: CampaignDefinition, before: CampaignDefinition | None) -> bool:
    """Whether the query's columns have to be read from iMIS to check the definition.

    They are known already while the query stays the same, unless the template names a new one.
    """
    if after.audience is None:
        return False
    if before is None or before.audience is None or not before.columns:
        return True
    if before.audience != after.audience:
        return True
    return bool(_unknown(after.template, before.columns))


def faults(definition: CampaignDefinition, numbers: Sequence[SendingNumber]) -> list[Fault]:
    """Name what is wrong with what was written; a draft may lack things, not have wrong ones."""
    return [
        *_audience_faults(definition),
        *_template_faults(definition),
        *_number_faults(definition, numbers),
    ]


def lacking(
    definition: CampaignDefinition,
    numbers: Sequence[SendingNumber],
    *,
    prompts: Sequence[str] = (),
) -> list[Fault]:
    """Name everything that is missing before the campaign can run.

    `prompts` are what its query is known to ask for without having an answer of its own.
    """
    return list(_lacking(definition, numbers, prompts))


def _lacking(
    definition: CampaignDefinition, numbers: Sequence[SendingNumber], prompts: Sequence[str]
) -> Iterator[Fault]:
    audience = definition.audience
    if audience is None:
        yield Fault("audience", "The campaign has no audience yet: choose an IQA.")
    else:
        if not audience.phone_column:
            yield Fault("audience.phone_column", "Choose the column with the mobile phone.")
        if not audience.id_column:
            yield Fault("audience.id_column", "Choose the column with the iMIS id.")
        if prompts and not audience.prompts:
            yield Fault("audience.prompts", f"The query asks for {_listed(prompts)}.")
    if not definition.template.strip():
        yield Fault("template", "The campaign has no text yet.")
    number = sending_number(definition, numbers)
    if number is None:
        yield Fault("from_number", "The organisation has no such number to send from.")
    elif number.verification is not Verification.VERIFIED and definition.mode is Mode.LIVE:
        yield Fault("from_number", f"{number.number} is {number.verification}, not verified yet.")


def _audience_faults(definition: CampaignDefinition) -> Iterator[Fault]:
    audience, columns = definition.audience, definition.columns
    if audience is None or not columns:
        return
    for name, column in (
        ("phone_column", audience.phone_column),
        ("id_column", audience.id_column),
    ):
        if column and column not in columns:
            known = _listed(columns)
            yield Fault(f"audience.{name}", f"The query has no column {column!r}. It has {known}.")
    if audience.phone_column and audience.phone_column == audience.id_column:
        yield Fault("audience.id_column", "One column can't be both the phone and the iMIS id.")


def _template_faults(definition: CampaignDefinition) -> Iterator[Fault]:
    try:
        template = Template.parse(definition.template)
    except TemplateError as error:
        yield Fault("template", str(error))
        return
    if definition.columns:
        for name in unknown_fields(template, definition.columns):
            known = _listed(definition.columns)
            yield Fault("template", f"The query has no column {name!r}. It has {known}.")


def _number_faults(
    definition: CampaignDefinition, numbers: Sequence[SendingNumber]
) -> Iterator[Fault]:
    if definition.from_number is not None and sending_number(definition, numbers) is None:
        known = _listed([each.number for each in numbers]) or "no number"
        yield Fault("from_number", f"The organisation can't send from it. It has {known}.")


def _unknown(template: str, columns: Sequence[str]) -> tuple[str, ...]:
    try:
        return unknown_fields(Template.parse(template), columns)
    except TemplateError:
        return ()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
