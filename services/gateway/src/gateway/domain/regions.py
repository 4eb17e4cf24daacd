"""Countries as operators write them: an ISO region, or the prefix of its numbers."""

from zoneinfo import ZoneInfo

from texting.phones import countries, default_prefix

# Where several regions share a prefix, the one that the numbering plan names first (ITU E.164).
_MAIN_REGIONS = {
    "+1": "US",
    "+7": "RU",
    "+39": "IT",
    "+44": "GB",
    "+47": "NO",
    "+61": "AU",
    "+212": "MA",
    "+262": "RE",
    "+290": "SH",
    "+358": "FI",
    "+590": "GP",
    "+599": "CW",
}


def region_of(country: str) -> str:
    """Return the ISO region for a region or a prefix such as "+44"; ValueError for neither."""
    wanted = country.strip().upper()
    if not wanted.startswith("+"):
        default_prefix(wanted)
        return wanted
    regions = [region for region, prefix in countries() if prefix == wanted]
    if not regions:
        raise ValueError("No country's numbers begin with this prefix.")
    return _MAIN_REGIONS.get(wanted, regions[0])


def known_zone(name: str) -> str:
    """Return a time zone's name; ValueError when there is no such zone."""
    if name == "UTC":
        return name
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("There is no time zone of this name.") from error
    return name
