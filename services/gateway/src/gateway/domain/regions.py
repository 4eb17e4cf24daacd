"""Countries as people name them: by name, by ISO region, or by the prefix of their numbers."""

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError

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
_ENGLISH = Locale("en")


@dataclass(frozen=True, slots=True)
class Country:
    """A country whose numbers can be an organisation's default (TM-17)."""

    region: str
    prefix: str
    name: str


@lru_cache(maxsize=1)
def all_countries() -> tuple[Country, ...]:
    """Return every country with phone numbers of its own, by name."""
    known = [Country(region, prefix, _named(region)) for region, prefix in countries()]
    return tuple(sorted(known, key=lambda each: each.name))


def country_name(region: str) -> str:
    """Return how a country is shown, such as "United States (+1)"."""
    return f"{_named(region)} ({default_prefix(region)})"


def region_of(country: str) -> str:
    """Return the ISO region for a name, a region or a prefix such as "+44"; else ValueError.

    The form that we show, "United Kingdom (+44)", is understood too.
    """
    wanted = country.strip()
    if wanted.startswith("+"):
        regions = [region for region, prefix in countries() if prefix == wanted]
        if not regions:
            raise ValueError("No country's numbers begin with this prefix.")
        return _MAIN_REGIONS.get(wanted, regions[0])
    name = wanted.partition("(")[0].strip().casefold()
    for each in all_countries():
        if name == each.name.casefold():
            return each.region
    try:
        default_prefix(wanted)
    except ValueError as error:
        raise ValueError("There is no country of this name, region or prefix.") from error
    return wanted.upper()


def known_zone(name: str) -> str:
    """Return a time zone's name; ValueError when there is no such zone."""
    if name == "UTC":
        return name
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("There is no time zone of this name.") from error
    return name


def known_locale(name: str) -> str:
    """Return a locale's name, such as "en-US"; ValueError when nobody speaks so."""
    try:
        return str(Locale.parse(name, sep="-")).replace("_", "-")
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError('There is no such locale; "en-US" is one.') from error


def known_currency(code: str) -> str:
    """Return a currency's code; ValueError when there is none."""
    if code not in _ENGLISH.currencies:
        raise ValueError('There is no such currency; "USD" is one.')
    return code


def _named(region: str) -> str:
    return str(_ENGLISH.territories.get(region, region))
