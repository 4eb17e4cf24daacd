"""What the ingress does with a webhook."""

from collections.abc import Callable
from enum import StrEnum

from contracts.envelope import Envelope
from contracts.events.base import Event
from ingress.domain import Circuit, Form
from ingress.ports import Accounts, Log, LogAway, Owner, Spool


class KeptIn(StrEnum):
    """Where an event is safe."""

    LOG = "log"
    SPOOL = "spool"


class Unverified(Exception):
    """Nobody can tell that Twilio sent this; the reason is for the metrics alone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def signer_of(form: Form, *, url: str, signature: str, accounts: Accounts) -> Owner:
    """Return the organisation whose account signed the form; raises `Unverified`.

    Where organisations share an account and its token, the one that owns the number is meant.
    """
    owners = accounts.owners(form.first("AccountSid"))
    if not owners:
        raise Unverified("unknown_account")
    if not signature:
        raise Unverified("unsigned")
    signed = [owner for owner in owners if owner.signed(url, form, signature)]
    if not signed:
        raise Unverified("forged")
    if len(signed) > 1:
        numbers = {form.first("From"), form.first("To")}
        return next((owner for owner in signed if not numbers.isdisjoint(owner.numbers)), signed[0])
    return signed[0]


async def take_in(
    envelope: Envelope[Event],
    *,
    log: Log,
    spool: Spool,
    circuit: Circuit,
    clock: Callable[[], float],
) -> KeptIn:
    """Return once the event is safe, in the log or in the spool; raises `SpoolAway`."""
    if circuit.admits(at=clock()):
        try:
            await log.append(envelope)
        except LogAway:
            circuit.failed(at=clock())
        except BaseException:
            # A probe that was broken off has to let the next one try.
            circuit.failed(at=clock())
            raise
        else:
            circuit.succeeded()
            return KeptIn.LOG
    await spool.keep(envelope)
    return KeptIn.SPOOL
