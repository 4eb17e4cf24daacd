"""An organisation as its staff meet the product: through the REST API, and what came of it.

Nothing here looks into the system; the simulated outsides say what really reached them.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from textmanager.probe import request

PATIENCE_SECONDS = 60.0
FOLDER = "$/Common/Queries/Text Manager"
PASSWORD = "staff-pass"
MEMBER_COLUMNS = ("iMIS Id", "FullName", "Mobile Phone")


def until(claim: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait until the claim holds and return its value; fail when it doesn't in time."""
    deadline = time.monotonic() + seconds
    while True:
        if value := claim():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"still {value!r} after {seconds:g} s")
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the API."""

    status: int
    text: str

    @property
    def body(self) -> Any:
        """What it says, as JSON."""
        return json.loads(self.text)

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


def ask(
    method: str, url: str, body: Any = None, *, headers: Mapping[str, str] | None = None
) -> Reply:
    """One request; a body that isn't text is sent as JSON."""
    given = dict(headers or {})
    sent = body if body is None or isinstance(body, str) else json.dumps(body)
    if sent is not None:
        given.setdefault("Content-Type", "application/json")
    answer = request(method, url, body=sent, headers=given, timeout_seconds=90.0)
    return Reply(answer.status, answer.body)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything answers."""

    gateway: str
    mail: str
    twilio: str
    imis: str
    imis_2017: str
    operator_token: str = field(repr=False)


@dataclass(slots=True)
class Organization:
    """An organisation, and somebody of its staff at a keyboard."""

    at: Addresses
    cloud_id: str
    account_sid: str
    number: str
    first_id: int
    imis: str
    token: str = field(default="", repr=False)
    founding: dict[str, Any] = field(default_factory=dict, repr=False)
    _named: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def found(self, *, auth_token: str, version: str, **settings: Any) -> None:
        """Let an operator write its settings, then sign in."""
        number = {"number": self.number, "segments_per_second": 100, "verification": "verified"}
        self.founding = {
            "name": f"Association {self.cloud_id}",
            "default_country": "US",
            "numbers": [number],
            "imis": {
                "url": self.imis,
                "version": version,
                "username": "textmanager",
                "password": "service-pass",
                # A 2017 site doesn't tell who is staff.
                "staff_logins": ["staff"] if version == "2017" else [],
            },
            "twilio": {"account_sid": self.account_sid, "auth_token": auth_token},
        } | settings
        operator = {"Authorization": f"Bearer {self.at.operator_token}"}
        url = f"{self.at.gateway}/v1/organizations/{self.cloud_id}"
        answer = ask("PUT", url, self.founding, headers=operator)
        assert answer.status in {200, 201}, answer
        self.sign_in()

    def sign_in(self) -> None:
        """Sign in as a member of its staff."""
        login = {"username": "staff", "password": PASSWORD, "cloud_id": self.cloud_id}
        answer = ask("POST", f"{self.at.gateway}/v1/sessions", login)
        assert answer.status == 201, answer
        self.token = answer["token"]

    def call(
        self, method: str, path: str, body: Any = None, *, content: str = "", key: str = ""
    ) -> Reply:
        """Ask the API something, whatever comes of it."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if content:
            headers["Content-Type"] = content
        if key:
            headers["Idempotency-Key"] = key
        return ask(method, f"{self.at.gateway}/v1/{path}", body, headers=headers)

    def get(self, route: str, **query: Any) -> Any:
        """Ask for something that is there."""
        answer = self.call("GET", f"{route}?{urlencode(query)}" if query else route)
        assert answer.status == 200, answer
        return answer.body

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """Let something happen that must succeed."""
        answer = self.call("POST", path, {} if body is None else body, **more)
        assert answer.status < 300, answer
        return answer.body if answer.text else None

    def patch(self, path: str, body: Any) -> Any:
        """Change something."""
        answer = self.call("PATCH", path, body)
        assert answer.status == 200, answer
        return answer.body

    def query(
        self,
        rows: Sequence[Sequence[Any]],
        *,
        columns: Sequence[str] = MEMBER_COLUMNS,
        path: str = "",
        **more: Any,
    ) -> str:
        """Let the organisation's iMIS have a query with these rows; returns its path."""
        path = path or f"{FOLDER}/{self.cloud_id} {next(self._named)}"
        wanted = {"path": path, "columns": list(columns), "rows": [list(row) for row in rows]}
        assert ask("PUT", f"{self.imis}/_sim/queries", wanted | more).status == 200
        return path

    def members(self, count: int, *, area: str = "213") -> list[tuple[str, str, str]]:
        """Return some members with numbers of their own; nothing goes wrong with any."""
        first = self.first_id + 100 * next(self._named)
        # The last four digits say what the simulated Twilio makes of it; from 1000 on, nothing.
        return [
            (
                str(first + place),
                f"Member {place}",
                f"+1{area}{200 + self.first_id // 10_000:03}{1000 + first % 5_000 + place:04}",
            )
            for place in range(count)
        ]

    def campaign(
        self,
        audience: str | Mapping[str, str],
        template: str = "Hello ${FullName}",
        **more: Any,
    ) -> str:
        """Write a campaign to a query, or to an audience of any kind; returns its id."""
        fields = {
            "name": "A campaign",
            "template": template,
            "audience": {
                **({"iqa_path": audience} if isinstance(audience, str) else audience),
                "phone_column": "Mobile Phone",
                "id_column": "iMIS Id",
            },
        }
        made: str = self.post("campaigns", fields | more)["campaign_id"]
        return made

    def launch(self, campaign: str) -> str:
        """Schedule it for now; returns the run."""
        run: str = self.post(f"campaigns/{campaign}/schedule", {"at": None})["run_id"]
        return run

    def run(self, run_id: str) -> Any:
        """Look at a run."""
        return self.get(f"runs/{run_id}")

    def over(self, run_id: str, *, seconds: float = PATIENCE_SECONDS) -> Any:
        """Wait for a run's end, and for what the carrier says of each text."""

        def ended() -> Any:
            shown = self.run(run_id)
            waiting = {"preparing", "sent", "held"} & {
                status for status, count in shown["by_status"].items() if count
            }
            return shown if shown["state"] in {"completed", "failed"} and not waiting else None

        return until(ended, seconds=seconds)

    def send(
        self,
        audience: str | Mapping[str, str],
        template: str = "Hello ${FullName}",
        **more: Any,
    ) -> Any:
        """Write a campaign, send it now, and wait until it is over."""
        return self.over(self.launch(self.campaign(audience, template, **more)))

    def texts(self) -> list[dict[str, Any]]:
        """Return what Twilio took from this organisation, in order."""
        taken = ask("GET", f"{self.at.twilio}/_sim/messages").body
        return [each for each in taken if each["account"] == self.account_sid]

    def activities(self, kind: str = "TEXTMSG") -> list[dict[str, Any]]:
        """Return what its iMIS holds of this organisation's members."""
        held = ask("GET", f"{self.imis}/_sim/activities?type={quote(kind)}").body["activities"]
        ours = range(self.first_id, self.first_id + 10_000)
        return [each for each in held if each["party"].isdigit() and int(each["party"]) in ours]

    def text_in(self, sender: str, body: str) -> None:
        """Let a member text the organisation."""
        wanted = {"account": self.account_sid, "from": sender, "to": self.number, "body": body}
        assert ask("POST", f"{self.at.twilio}/_sim/inbound", wanted).status == 200

    def mails(self, address: str) -> list[dict[str, Any]]:
        """Return the mails that somebody got, in order."""
        every = ask("GET", f"{self.at.mail}/control/mails").body["mails"]
        return [each for each in every if address in each["to"]]
