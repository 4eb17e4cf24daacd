"""Activities as iMIS takes and gives them: a generic entity with a list of properties.

One is written for each text, so the body is put together from ready-made pieces, not dumped.
"""

import json
from datetime import datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from imis_client.errors import InDoubt
from imis_client.models import Activity, FoundActivity, as_utc
from imis_client.wire import STRINGS, check_success, contract, objects, text_of, values

_WRITING = "POST Activity"

_HEAD = (
    f'{{"$type":"{contract("GenericEntityData")}","EntityTypeName":"Activity",'
    '"PrimaryParentEntityTypeName":"Party","PrimaryParentIdentity":'
    f'{{"$type":"{contract("IdentityData")}","EntityTypeName":"Party",'
    f'"IdentityElements":{{"$type":"{STRINGS}","$values":['
)
_MIDDLE = f']}}}},"Properties":{{"$type":"{contract("GenericPropertyDataCollection")}","$values":['
_TAIL = "]}}"
_NAME = f'{{"$type":"{contract("GenericPropertyData")}","Name":'
_VALUE = ',"Value":'

_PARTY = _NAME + '"PartyId"' + _VALUE
_TYPE = "}," + _NAME + '"ACTIVITY_TYPE"' + _VALUE
_DATE = "}," + _NAME + '"TRANSACTION_DATE"' + _VALUE
_DESCRIPTION = "}," + _NAME + '"DESCRIPTION"' + _VALUE
_NOTE = "}," + _NAME + '"NOTE"' + _VALUE
_UF_1 = "}," + _NAME + '"UF_1"' + _VALUE


def wire_date(moment: datetime) -> str:
    """Write an instant as iMIS keeps it: UTC without a zone, to the second."""
    return as_utc(moment).replace(tzinfo=None).isoformat(timespec="seconds")


def body_of(activity: Activity) -> bytes:
    """Write the body of `POST /api/Activity`; empty values are left out."""
    party = quoted(activity.party_id)
    pieces = [_HEAD, party, _MIDDLE, _PARTY, party, _TYPE, quoted(activity.type)]
    pieces += (_DATE, '"', wire_date(activity.transaction_date), '"')
    if activity.description:
        pieces += (_DESCRIPTION, quoted(activity.description))
    if activity.note:
        pieces += (_NOTE, quoted(activity.note))
    if activity.uf_1:
        pieces += (_UF_1, quoted(activity.uf_1))
    if activity.category and activity.category_column:
        pieces += ("},", _NAME, quoted(activity.category_column))
        pieces += (_VALUE, quoted(activity.category))
    for name, value in activity.extra.items():
        pieces += ("},", _NAME, quoted(name), _VALUE, quoted(value))
    pieces += ("}", _TAIL)
    return "".join(pieces).encode()


def seqn_of(body: bytes) -> str:
    """Give the id of what was just written; an answer without one leaves it in doubt."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        check_success(answer, _WRITING)
    if not (seqn := _identity(answer)):
        raise InDoubt(f"iMIS answered {_WRITING} without an id; it may have been done.")
    return seqn


def found_in(item: dict[str, Any]) -> FoundActivity:
    """Read one activity that iMIS holds."""
    held = {
        text_of(p.get("Name")): text_of(p.get("Value")) for p in objects(item.get("Properties"))
    }
    return FoundActivity(
        seqn=_identity(item) or held.get("SEQN", ""),
        party_id=held.get("PartyId", ""),
        type=held.get("ACTIVITY_TYPE", ""),
        transaction_date=_date(held.get("TRANSACTION_DATE", "")),
        description=held.get("DESCRIPTION", ""),
        note=held.get("NOTE", ""),
        uf_1=held.get("UF_1", ""),
    )


def _identity(entity: object) -> str:
    if not isinstance(entity, dict) or not isinstance(identity := entity.get("Identity"), dict):
        return ""
    elements = values(identity.get("IdentityElements"))
    return text_of(elements[0]) if elements else ""


def _date(text: str) -> datetime | None:
    try:
        return as_utc(datetime.fromisoformat(text)).replace(microsecond=0)
    except ValueError:
        return None
