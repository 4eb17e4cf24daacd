"""What an author may write, and what a campaign lacks before it can run; pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from contracts.events.campaign import Audience, CampaignDefinition, Mode, WriteTo
from contracts.events.organization import OrganizationSettings, SendingNumber, Verification
from gateway.domain.recurring import fault_of, goes_on, is_whole, recurring
from gateway.domain.refusals import Fault
from texting.template import Template, TemplateError, unknown_fields

TOO_FEW_COLUMNS = 2
NO_LOG_IN_2017 = (
    "iMIS 2017 has no Communication Log that can be written from outside. "
    "Choose activity, or nothing."
)
_SEVERAL = (
    "Several columns of the query have the alias {!r}, so nobody can tell which one is meant. Give "
    "each an alias of its own in iMIS."
)


def sending_number(
    definition: CampaignDefinition, numbers: Sequence[SendingNumber]
) -> SendingNumber | None:
    """Return the number that the campaign is sent from: the chosen one, else the first."""
    if definition.from_number is None:
        return numbers[0] if numbers else None
    return next((each for each in numbers if each.number == definition.from_number), None)


def may_send(number: SendingNumber) -> bool:
    """Whether texts may leave from it: verified, or with a limit of its own until it is (TM-19)."""
    return number.verification is Verification.VERIFIED or number.segments_per_day is not None


def not_verified(number: SendingNumber) -> str:
    """Say why nothing may leave from a number."""
    return f"{number.number} is {number.verification}, not verified yet."


def must_read_columns(after: CampaignDefinition, before: CampaignDefinition | None) -> bool:
    """Whether the audience's columns have to be read to check the definition.

    They are known already while the audience stays the same, unless the template names a new one,
    or some share an alias, which may have been mended since.
    """
    if after.audience is None:
        return False
    if before is None or before.audience is None or not before.columns:
        return True
    if before.audience != after.audience or _repeated(before.columns):
        return True
    return bool(_unknown(after.template, before.columns))


def faults(definition: CampaignDefinition, settings: OrganizationSettings) -> list[Fault]:
    """Name what is wrong with what was written; a draft may lack things, not have wrong ones."""
    return [
        *_audience_faults(definition),
        *_template_faults(definition),
        *_number_faults(definition, settings.numbers),
        *_recurrence_faults(definition),
    ]


def uncountable(
    definition: CampaignDefinition,
    settings: OrganizationSettings,
    *,
    prompts: Sequence[str] = (),
) -> list[Fault]:
    """Name everything that is missing before it can be counted who would get which text."""
    return [
        *_audience_lacks(definition.audience, prompts),
        *_text_lacks(definition),
        *_number_lacks(definition, settings.numbers),
    ]


def lacking(
    definition: CampaignDefinition,
    settings: OrganizationSettings,
    *,
    at: datetime,
    prompts: Sequence[str] = (),
) -> list[Fault]:
    """Name everything that is missing before the campaign can run.

    `prompts` are what its query is known to ask for without having an answer of its own.
    """
    return [
        *_audience_lacks(definition.audience, prompts),
        *_text_lacks(definition),
        *_schedule_lacks(definition, at),
        *_writing_lacks(definition, settings),
        *_number_lacks(definition, settings.numbers),
    ]


def answer_faults(audience: Audience, asked: Sequence[str]) -> list[Fault]:
    """Name answers that the query doesn't ask for, by all that it does ask for."""
    said = f"The query asks for {_listed(asked) or 'nothing'}."
    if audience.answers and audience.prompts:
        told = "Give the values by the prompts' names (answers) or in order (prompts), not both."
        return [Fault("audience.answers", told)]
    if audience.prompts and len(audience.prompts) != len(asked):
        return [Fault("audience.prompts", said)]
    return [
        Fault("audience.answers", f"The query has no prompt {name!r}. {said}")
        for name in audience.answers
        if name not in asked
    ]


def activity_types(
    definition: CampaignDefinition, settings: OrganizationSettings
) -> tuple[str, ...]:
    """Return the activity types that iMIS must have for what the campaign will write."""
    if definition.mode is Mode.TEST and not settings.write_test_runs:
        return ()
    match definition.write_to:
        case WriteTo.ACTIVITY:
            return ("TEXTMSG", "TEXTUNSUB")
        case WriteTo.COMMUNICATION_LOG:
            return ("TEXTUNSUB",)
        case WriteTo.NOTHING:
            return ()


def how_to_create(code: str) -> str:
    """Say how an activity type is made (TM-23)."""
    return (
        f"iMIS has no activity type {code}. To create it, log in to the staff site, go to "
        f'Settings > Contacts > Activity Types, choose "Add new activity type", enter {code} as '
        "its code, and Save & Exit."
    )


def _audience_lacks(audience: Audience | None, prompts: Sequence[str]) -> Iterator[Fault]:
    if audience is None or not (audience.iqa_path or audience.upload_id):
        yield Fault("audience", "The campaign has no audience yet: choose an IQA.")
        return
    if not audience.phone_column:
        yield Fault("audience.phone_column", "Choose the column with the mobile phone.")
    if not audience.id_column:
        yield Fault("audience.id_column", "Choose the column with the iMIS id.")
    unanswered = [each for each in prompts if not audience.answers.get(each)]
    if unanswered and not audience.prompts:
        yield Fault("audience.prompts", f"The query asks for {_listed(unanswered)}.")


def _text_lacks(definition: CampaignDefinition) -> Iterator[Fault]:
    if not definition.template.strip():
        yield Fault("template", "The campaign has no text yet.")


def _schedule_lacks(definition: CampaignDefinition, at: datetime) -> Iterator[Fault]:
    if recurring(definition):
        if definition.recurrence is None:
            yield Fault("recurrence", "The campaign has no recurrence yet: say when it runs.")
            return
        whole = is_whole(definition.recurrence)
        if not definition.recurrence.rule.strip():
            yield Fault("recurrence.rule", "Say how often the campaign runs.")
        if definition.recurrence.starts is None:
            yield Fault("recurrence.starts", "Say from which local time on the campaign runs.")
        if whole and not goes_on(definition, at):
            yield Fault("recurrence", "The recurrence has no time left: it ended, or never comes.")


def _number_lacks(
    definition: CampaignDefinition, numbers: Sequence[SendingNumber]
) -> Iterator[Fault]:
    number = sending_number(definition, numbers)
    if number is None:
        yield Fault("from_number", "The organisation has no such number to send from.")
    elif definition.mode is Mode.LIVE and not may_send(number):
        yield Fault("from_number", not_verified(number))


def _audience_faults(definition: CampaignDefinition) -> Iterator[Fault]:
    audience, columns = definition.audience, definition.columns
    if audience is None:
        return
    if audience.upload_id and (audience.prompts or audience.answers):
        yield Fault("audience.prompts", "An uploaded list asks for nothing.")
    if not columns:
        return
    for name, column in (
        ("phone_column", audience.phone_column),
        ("id_column", audience.id_column),
        ("zone_column", audience.zone_column),
    ):
        if column and column not in columns:
            yield Fault(f"audience.{name}", _no_column(definition, column))
        elif column in _repeated(columns):
            yield Fault(f"audience.{name}", _SEVERAL.format(column))
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
            yield Fault("template", _no_column(definition, name))
        for name in template.fields:
            if name in _repeated(definition.columns):
                yield Fault("template", _SEVERAL.format(name))


def _number_faults(
    definition: CampaignDefinition, numbers: Sequence[SendingNumber]
) -> Iterator[Fault]:
    if definition.from_number is not None and sending_number(definition, numbers) is None:
        known = _listed([each.number for each in numbers]) or "no number"
        yield Fault("from_number", f"The organisation can't send from it. It has {known}.")


def _recurrence_faults(definition: CampaignDefinition) -> Iterator[Fault]:
    if definition.recurrence is None:
        return
    if (reason := fault_of(definition.recurrence)) is not None:
        yield Fault("recurrence", reason)


def _writing_lacks(
    definition: CampaignDefinition, settings: OrganizationSettings
) -> Iterator[Fault]:
    if definition.write_to is not WriteTo.COMMUNICATION_LOG:
        return
    if settings.imis.version == "2017":
        yield Fault("write_to", NO_LOG_IN_2017)
    if not definition.log_subject.strip():
        yield Fault("log_subject", "Write the subject of the Communication Log's entries.")


def _no_column(definition: CampaignDefinition, name: str) -> str:
    uploaded = definition.audience is not None and definition.audience.upload_id is not None
    known = _listed(definition.columns)
    return f"The {'list' if uploaded else 'query'} has no column {name!r}. It has {known}."


def _repeated(columns: Sequence[str]) -> set[str]:
    return {name for name, count in Counter(columns).items() if count > 1}


def _unknown(template: str, columns: Sequence[str]) -> tuple[str, ...]:
    try:
        return unknown_fields(Template.parse(template), columns)
    except TemplateError:
        return ()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
