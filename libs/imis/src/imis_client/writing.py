"""What the client writes: activities, and entries in the Communication Log."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from imis_client import activities, communications
from imis_client.authorized import Authorized
from imis_client.errors import BadRequest, Forbidden, InDoubt, NotFound, TryAgain
from imis_client.models import Activity, FoundActivity
from imis_client.wire import check_success, loads, objects

_PAGE = 500
# What ASP.NET says where there is no such address at all, whatever it is asked for.
_NO_ROUTE = "No HTTP resource was found"


class Writing:
    """The part of an `ImisClient` that changes something, and looks at what it changed."""

    _site: Authorized

    async def activity_type_exists(self, code: str) -> bool | None:
        """Say whether the activity type is set up in iMIS; None where this site can't tell.

        Raises `TryAgain` and `CredentialsRejected`.
        """
        path = f"/api/LegacyActivityType/{quote(code, safe='')}"
        try:
            await self._site.send("GET", path, what="the activity type")
        except NotFound as error:
            return None if error.detail.startswith(_NO_ROUTE) else False
        except (BadRequest, Forbidden):
            return None
        return True

    async def create_activity(self, activity: Activity) -> str:
        """Write an activity and give its SEQN.

        Raises InDoubt when it may have been written all the same: then `find_activities`, twice,
        further apart than the timeout, before writing again.
        """
        body = activities.body_of(activity)
        return activities.seqn_of(
            await self._site.send(
                "POST", "/api/Activity", what="POST Activity", body=body, writes=True
            )
        )

    async def find_activities(self, party_id: str, type_code: str) -> list[FoundActivity]:
        """List a member's activities of one type."""
        query = [("PartyId", party_id), ("ACTIVITY_TYPE", type_code)]
        found = self._listed("/api/Activity", query, what="finding activities")
        return [activities.found_in(item) async for item in found]

    async def activity(self, seqn: str) -> FoundActivity | None:
        """Give one activity by its SEQN, or None when iMIS has none."""
        what = "one activity"
        try:
            answer = await self._site.read(f"/api/Activity/{quote(seqn, safe='')}", what=what)
            check_success(answer, what)
        except NotFound:
            return None
        return activities.found_in(answer)

    async def delete_activity(self, seqn: str) -> bool:
        """Delete one activity; False if there was none any more.

        Raises InDoubt when it may have been deleted all the same. Repeating it is harmless.
        """
        what = "DELETE Activity"
        try:
            path = f"/api/Activity/{quote(seqn, safe='')}"
            body = await self._site.send("DELETE", path, what=what, writes=True)
            # A deletion may be answered with nothing, or with null.
            if body.strip() not in {b"", b"null"}:
                check_success(_answer(body, what), what)
        except NotFound:
            return False
        return True

    async def create_log(self, subject: str, html: str) -> str:
        """Write an entry of the Communication Log that is on nobody's record yet; give its id.

        EMS only. Raises InDoubt as `create_activity` does: then `find_logs`.
        """
        body = communications.log_body(subject, html)
        what = "POST CommunicationLog"
        answer = await self._site.send(
            "POST", "/api/CommunicationLog", what=what, body=body, writes=True
        )
        return communications.log_id_of(_answer(answer, what), what)

    async def add_log_recipient(self, log_id: str, party_id: str, address: str) -> None:
        """Put an entry of the Communication Log on a member's record, as a text message.

        Raises InDoubt as `create_activity` does: then `log_is_on_record`.
        """
        body = communications.recipient_body(log_id, party_id, address)
        what = "POST CommunicationLogRecipient"
        answer = await self._site.send(
            "POST", "/api/CommunicationLogRecipient", what=what, body=body, writes=True
        )
        check_success(_answer(answer, what), what)

    async def find_logs(self, subject: str) -> AsyncIterator[tuple[str, str]]:
        """Go through the entries with a subject: the id of each, and its HTML."""
        route, query = "/api/CommunicationLog", [("Subject", subject)]
        async for item in self._listed(route, query, what="finding log entries"):
            yield communications.id_in(item), communications.html_in(item)

    async def log_is_on_record(self, log_id: str, party_id: str) -> bool:
        """Say whether an entry of the Communication Log is on a member's record."""
        route = "/api/CommunicationLogRecipient"
        query = [("CommunicationLogId", log_id), ("PartyId", party_id)]
        async for item in self._listed(route, query, what="finding log recipients"):
            # A site that knows no such filter gives everybody's.
            if communications.is_recipient(item, log_id, party_id):
                return True
        return False

    async def _listed(
        self, route: str, query: list[tuple[str, str]], *, what: str
    ) -> AsyncIterator[dict[str, Any]]:
        offset, more = 0, True
        while more:
            paged = [*query, ("limit", str(_PAGE)), ("offset", str(offset))]
            answer = await self._site.read(route, what=what, query=paged)
            check_success(answer, what)
            if "Items" not in answer:
                raise TryAgain(f"iMIS gave no page for {what}.")
            items = objects(answer["Items"])
            for item in items:
                yield item
            offset += len(items)
            more = bool(items) and answer.get("HasNext") is True


def _answer(body: bytes, what: str) -> dict[str, Any]:
    """Parse the answer to a write; one that can't be read leaves it in doubt."""
    try:
        return loads(body, what)
    except TryAgain:
        raise InDoubt(f"iMIS gave no data for {what}; it may have been done.") from None
