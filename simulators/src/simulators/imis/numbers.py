"""Phone numbers that exist in the numbering plan, each index its own."""

_AREAS = (
    202, 205, 206, 207, 208, 212, 213, 214, 215, 216, 217, 219, 225, 228, 229, 231, 234, 239, 240,
    248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303, 304, 305, 307,
    308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330, 334, 336, 337,
    402, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 417, 419, 423, 425, 432, 434, 435,
    440, 443, 469, 478, 479, 480, 484, 501, 502, 503, 504, 505, 507, 508, 509, 510, 512, 513, 515,
)  # fmt: skip
_FICTITIOUS = 555
_SERVICE_CODE = 11
_EXCHANGES = tuple(e for e in range(200, 1000) if e != _FICTITIOUS and e % 100 != _SERVICE_CODE)
# The last four digits 0006, 0007 and 0008 mean a failure to the simulated Twilio.
_PLAIN_LINES = range(1000, 10_000)
_FAILING_LINES = ("0006", "0007", "0008")

_SPACE = len(_AREAS) * len(_EXCHANGES) * len(_PLAIN_LINES)
# Prime, and no divisor of the space, so that indexes are shuffled over the plan, none twice.
_STEP = 104_729_477


def mobile(index: int, seed: int) -> str:
    """Give a valid US number in E.164, unique to the index, that fails nowhere."""
    area, exchange, line = _place(index, seed)
    return f"+1{area}{exchange}{line}"


def failing_mobile(index: int, seed: int) -> str:
    """Give a valid US number, unique to the index, that the simulated Twilio can't deliver to."""
    spot = (index * _STEP + seed * 7_919) % (len(_AREAS) * len(_EXCHANGES))
    exchange, area = divmod(spot, len(_AREAS))
    return f"+1{_AREAS[area]}{_EXCHANGES[exchange]}{_FAILING_LINES[index % len(_FAILING_LINES)]}"


def written(e164: str, style: int) -> str:
    """Write a US number the way people do, without its country."""
    area, exchange, line = e164[2:5], e164[5:8], e164[8:]
    styles = (
        f"({area}) {exchange}-{line}",
        f"{area}.{exchange}.{line}",
        f"{area} {exchange} {line}",
        f" {area}-{exchange}-{line} ",
    )
    return styles[style % len(styles)]


def british_mobile(index: int) -> str:
    """Give a valid British mobile number with spaces, which fails nowhere."""
    high, low = divmod(index, len(_PLAIN_LINES))
    return f"+44 7400 {10 + high:02d}{_PLAIN_LINES[low]}"


def german_mobile(index: int) -> str:
    """Give a valid German mobile number with spaces, which fails nowhere."""
    high, low = divmod(index, len(_PLAIN_LINES))
    return f"+49 151 {2340 + high}{_PLAIN_LINES[low]}"


def _place(index: int, seed: int) -> tuple[int, int, int]:
    spot = (index * _STEP + seed * 7_919) % _SPACE
    spot, area = divmod(spot, len(_AREAS))
    line, exchange = divmod(spot, len(_EXCHANGES))
    return _AREAS[area], _EXCHANGES[exchange], _PLAIN_LINES[line]
