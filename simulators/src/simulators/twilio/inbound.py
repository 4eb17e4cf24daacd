"""Texts from people: the words that opt out and in, Twilio's own replies, the webhook.

https://help.twilio.com/articles/223134027 lists the words.
"""

import re
import time
from typing import Any

from simulators.shared import Faults
from simulators.twilio.faults import INBOUND
from simulators.twilio.segments import count_segments, is_toll_free
from simulators.twilio.settings import Settings
from simulators.twilio.store import Store
from simulators.twilio.webhooks import Poster, Webhook

STOP_WORDS = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"}
)
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})

_STOPPED = (
    "You have successfully been unsubscribed. You will not receive any more messages from this "
    "number. Reply START to resubscribe."
)
_STARTED = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
_HELP = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
_STOPPED_TOLL_FREE = (
    'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. '
    'Text back "unstop" to receive messages again.'
)
_STARTED_TOLL_FREE = (
    'NETWORK MSG: You have replied "unstop" and will begin receiving messages again.'
)
_TWIML_MESSAGE = re.compile(r"<Message[^>]*>(?:\s*<Body>)?([^<]+)<")


class Inbox:
    """Takes texts from people as Twilio does, before the customer hears of them."""

    def __init__(self, store: Store, poster: Poster, faults: Faults, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._poster = poster
        self._faults = faults

    async def take(
        self, *, account: str, token: bytes, person: str, number: str, body: str, url: str
    ) -> dict[str, Any]:
        """Take one text; gives its SID, what it did, and how the webhook went."""
        taken = self._store.take_inbound(account=account, person=person, number=number, body=body)
        sid = taken.sid
        back = {"sid": sid, "account": account, "from": number, "to": person}
        pair = (account, number, person)
        reply = self._obey(pair, body)
        if reply:
            self._note(back, kind="reply", body=reply, by="twilio")
        failure, twiml = "not configured", ""
        fault = self._fault({"account": account, "from": person, "to": number, "body": body})
        if fault == "inbound_lost":
            failure = "lost on purpose"
        elif url:
            fields = _fields(sid, account, person, number, body)
            webhook = Webhook(url.partition("#")[0], fields, token)
            failure, twiml = await self._poster.post(webhook)
            if fault == "inbound_repeated":
                failure, twiml = await self._poster.post(webhook)
        answered = _TWIML_MESSAGE.search(twiml)
        if answered:
            blocked = pair in self._store.opted_out
            text = answered.group(1).strip()
            self._note(back, kind="reply", body=text, by="webhook", blocked=blocked)
        return {
            "sid": sid,
            "opted_out": pair in self._store.opted_out,
            "reply": reply or None,
            "webhook": failure or "answered",
            "webhook_reply": answered.group(1).strip() if answered else None,
        }

    def _obey(self, pair: tuple[str, str, str], body: str) -> str:
        """Opt out or in when the whole text is one of the words; give Twilio's own reply."""
        word, toll_free = body.strip().upper(), is_toll_free(pair[1])
        if not toll_free and pair[1] in self._settings.left_to_customer.split():
            return ""
        if word in STOP_WORDS:
            if pair in self._store.opted_out:
                return ""
            self._store.opt(pair, out=True)
            return _STOPPED_TOLL_FREE if toll_free else _STOPPED
        if word in START_WORDS and not (toll_free and word == "YES"):
            if pair not in self._store.opted_out:
                return ""
            self._store.opt(pair, out=False)
            return _STARTED_TOLL_FREE if toll_free else _STARTED
        return _HELP if word in HELP_WORDS else ""

    def _fault(self, facts: dict[str, str]) -> str:
        rule = self._faults.pick(facts, INBOUND) if self._faults.rules else None
        return "" if rule is None else rule.name

    def _note(self, who: dict[str, str], **what: object) -> None:
        self._store.events.append({**who, **what, "at": time.time()})


def _fields(sid: str, account: str, person: str, number: str, body: str) -> dict[str, str]:
    return {
        "ToCountry": "US",
        "ToState": "",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ToCity": "",
        "FromZip": "",
        "SmsSid": sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": body,
        "FromCountry": "US",
        "To": number,
        "ToZip": "",
        "NumSegments": str(count_segments(body)),
        "MessageSid": sid,
        "AccountSid": account,
        "From": person,
        "ApiVersion": "2010-04-01",
    }
