"""Takes mails in hand, composes them, hands them over, and keeps what became of them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.logs import get_logger
from notifier import metrics
from notifier.composing import Composed, Composer, Nothing, NotYet
from notifier.domain.letters import Verdict
from notifier.ports import Job, Mails, Post, PostClosed, Result, State


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things may take."""

    lease: timedelta
    claim: int
    retry: timedelta
    longest_retry: timedelta
    give_up: timedelta


class Posting:
    """One process's work on the mails."""

    def __init__(
        self,
        mails: Mails,
        composer: Composer,
        post: Post,
        *,
        clock: Callable[[], datetime],
        pace: Pace,
    ) -> None:
        self._mails = mails
        self._composer = composer
        self._post = post
        self._clock = clock
        self._pace = pace

    async def step(self) -> bool:
        """Do what is due; returns whether there may be more to do at once."""
        at = self._clock()
        found = await self._mails.recover(at=at)
        if found:
            get_logger().warning("Mails of a dead process are sent again.", count=found)
        jobs = await self._mails.claim(
            at=at, lease_until=at + self._pace.lease, limit=self._pace.claim
        )
        done = await asyncio.gather(*map(self._settle, jobs), return_exceptions=True)
        results, failed = [], None
        for job, each in zip(jobs, done, strict=True):
            if isinstance(each, Result):
                results.append(each)
            else:
                # One mail's failure must not keep the others, nor itself be forgotten.
                failed = each
                results.append(self._again(job))
        await self._mails.record(results, at=self._clock())
        for result in results:
            if result.state is not State.WAITING:
                metrics.MAILS.labels(result.job.notice.kind, result.state).inc()
            _log(result)
        if failed is not None:
            raise failed
        return any(each.state is not State.WAITING for each in results)

    async def _settle(self, job: Job) -> Result:
        at = self._clock()
        if at > job.notice.occurred_at + self._pace.give_up:
            return Result(job, State.GIVEN_UP)
        match await self._composer.compose(job, at=at):
            case NotYet(until):
                return Result(job, State.WAITING, until, job.settled, job.failures)
            case Nothing(state):
                return Result(job, state)
            case Composed() as composed:
                return await self._hand_over(job, composed)

    async def _hand_over(self, job: Job, composed: Composed) -> Result:
        letter = composed.letter
        left = [each for each in letter.to if each not in job.settled]
        try:
            verdicts = await self._post.deliver(letter, left) if left else {}
        except PostClosed as closed:
            get_logger().warning("The mail server can't be had now.", reason=str(closed))
            return self._again(job)
        settled = job.settled | {
            each for each, verdict in verdicts.items() if verdict is not Verdict.LATER
        }
        if not settled.issuperset(letter.to):
            return self._again(job, settled=settled)
        if not job.settled and all(each is Verdict.REFUSED for each in verdicts.values()):
            return Result(job, State.REFUSED)
        return Result(
            job,
            State.SENT,
            follows=composed.follows,
            follows_not_before=composed.follows_not_before,
        )

    def _again(self, job: Job, *, settled: frozenset[str] | None = None) -> Result:
        pace = self._pace
        doubled = pace.retry * 2 ** min(job.failures, 16)
        return Result(
            job,
            State.WAITING,
            self._clock() + min(doubled, pace.longest_retry),
            job.settled if settled is None else settled,
            job.failures + 1,
        )


def _log(result: Result) -> None:
    notice = result.job.notice
    if result.state in {State.NO_ADDRESS, State.REFUSED, State.GIVEN_UP}:
        get_logger().warning(
            "A mail reached nobody.",
            organization_id=str(notice.organization_id),
            type=notice.kind.value,
            state=result.state.value,
        )
