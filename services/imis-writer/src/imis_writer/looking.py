"""Asks iMIS about what may have been done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from uuid import UUID

from chassis.logs import describe, get_logger
from imis_writer.domain.doubts import Answer, Question, judge, question_of
from imis_writer.domain.effects import Effect
from imis_writer.domain.outcomes import LoginRefused, Look, NoAnswer
from imis_writer.ports import Ledger, Site

T = TypeVar("T")
R = TypeVar("R")


async def look_for(
    effects: Sequence[Effect],
    *,
    organization_id: UUID,
    site: Site,
    ledger: Ledger,
    free: asyncio.Semaphore,
) -> tuple[list[Look], LoginRefused | None]:
    """Return what a look for each effect in doubt has shown, and whether iMIS let us in."""
    questions = list(dict.fromkeys(map(question_of, effects)))

    async def ask(question: Question) -> Answer:
        async with free:
            return await site.ask(question)

    unforeseen: Answer = NoAnswer()
    found = await act_on_all(ask, questions, unforeseen=unforeseen)
    answers = dict(zip(questions, found, strict=True))
    members = list(dict.fromkeys(each.imis_id for each in effects))
    # Read after iMIS was: what is free then was free when iMIS answered.
    around = await ledger.around(organization_id, members)
    looks = [judge(each, answers[question_of(each)], around) for each in effects]
    refused = next((each for each in found if isinstance(each, LoginRefused)), None)
    return looks, refused


async def act_on_all(
    act: Callable[[T], Awaitable[R]], things: Sequence[T], *, unforeseen: R
) -> list[R]:
    """Act on all at once; what fails in a way that nobody foresaw counts as `unforeseen`."""
    results: list[R] = []
    for each in await asyncio.gather(*map(act, things), return_exceptions=True):
        if isinstance(each, BaseException):
            get_logger().error("A request to iMIS failed unexpectedly.", **describe(each))
            results.append(unforeseen)
        else:
            results.append(each)
    return results
