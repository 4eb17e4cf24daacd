"""Doubts are settled with Twilio, or held for a person; never by sending again on a guess."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from chassis.logs import describe, get_logger
from sender.domain.doubts import Found, Listed, candidates, judge
from sender.domain.messages import Doubt
from sender.ports import Callbacks, CarrierAway, Carriers, Ledger
from sender.settings import SenderSettings

AT_ONCE = 20


async def reconcile(
    *,
    ledger: Ledger,
    carriers: Carriers,
    callbacks: Callbacks,
    settings: SenderSettings,
    clock: Callable[[], datetime],
) -> bool:
    """Look at the doubts that are due; returns whether there may be more."""
    at = clock()
    await ledger.doubt_overdue(at=at, look_at=at + timedelta(seconds=settings.grace))
    doubts = await ledger.doubts(at=at, limit=AT_ONCE)
    if not doubts:
        return False
    answers = await asyncio.gather(*(_ask(doubt, carriers) for doubt in doubts))
    unanswered = [d for d, listed in zip(doubts, answers, strict=True) if listed is None]
    later = clock() + timedelta(seconds=settings.second_look)
    await ledger.look_later(unanswered, look_at=later)
    answered = [
        (d, listed) for d, listed in zip(doubts, answers, strict=True) if listed is not None
    ]
    # Asked after the listings: what came in until now, a callback would have told.
    read_to_end = await callbacks.read_to_end()
    sids = [each.sid for doubt, listed in answered for each in candidates(doubt, listed)]
    known = await ledger.known_sids(sids)
    for doubt, listed in answered:
        await _settle(
            doubt, listed, known=known, read_to_end=read_to_end, later=later, ledger=ledger, at=at
        )
    return len(doubts) == AT_ONCE


async def _ask(doubt: Doubt, carriers: Carriers) -> list[Listed] | None:
    try:
        return await (await carriers.of(doubt.organization_id)).listed(doubt)
    except CarrierAway as error:
        get_logger().warning("Twilio can't be asked about a doubt yet.", **describe(error))
        return None


async def _settle(
    doubt: Doubt,
    listed: Sequence[Listed],
    *,
    known: set[str],
    read_to_end: bool,
    later: datetime,
    ledger: Ledger,
    at: datetime,
) -> None:
    match judge(doubt, listed, known=known):
        case Found(sid):
            await ledger.found(doubt, sid, at=at)
        case judged if judged.verdict == "ambiguous":
            await ledger.hopeless(doubt, "Twilio lists several that it may be", at=at)
        case _ if doubt.looks == 0 or not read_to_end:
            await ledger.absent(doubt, look_at=later)
        case _:
            await ledger.absent(doubt, look_at=None)
            get_logger().info(
                "A doubtful message was not accepted and is ready again.",
                message_id=str(doubt.message_id),
            )
