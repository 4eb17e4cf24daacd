"""Counts the segments of a text as Twilio bills them; nothing here is shared with the product."""

_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("\f^{}\\[~]|€")
_GSM = _GSM_BASIC | _GSM_EXTENDED
# One part holds so many ASCII characters in either alphabet, even if each took two GSM units.
_SHORT = 70
_TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")


def is_toll_free(number: str) -> bool:
    """Say whether a number is a North American toll-free one."""
    return number.startswith(_TOLL_FREE)


def count_segments(body: str, *, toll_free: bool = False) -> int:
    """Say in how many parts a text travels: GSM-7 160 then 153, UCS-2 70 then 67.

    Toll-free senders join shorter parts: 152 and 66.
    """
    if body.isascii() and len(body) <= _SHORT:
        return 1
    if _GSM.issuperset(body):
        units = [2 if character in _GSM_EXTENDED else 1 for character in body]
        return _parts(units, 160, 152 if toll_free else 153)
    return _parts(_ucs2_units(body), 70, 66 if toll_free else 67)


def _ucs2_units(body: str) -> list[int]:
    return [2 if character > "\uffff" else 1 for character in body]


def _parts(units: list[int], single: int, part: int) -> int:
    """Fill part after part; a character of two units is never split."""
    if sum(units) <= single:
        return 1
    count, used = 1, 0
    for unit in units:
        if used + unit > part:
            count, used = count + 1, 0
        used += unit
    return count
