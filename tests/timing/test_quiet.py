"""X-4: promotional texts keep the quiet hours of the place where the member is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import geocoder

from contracts.generate import ROOT
from timing import quiet
from timing.quiet import Place, Rules
from timing.rules import WrongRules

FILE = ROOT / "deploy" / "rules" / "quiet-hours.yaml"
RULES = quiet.load(FILE)
STATES = {
    "CT": "Connecticut",
    "FL": "Florida",
    "MD": "Maryland",
    "MS": "Mississippi",
    "NJ": "New Jersey",
    "OK": "Oklahoma",
    "RI": "Rhode Island",
    "TX": "Texas",
    "WA": "Washington State",
}
NEW_YORK, MIAMI, HOUSTON, PHOENIX, PROVIDENCE = (
    "+12125552671",
    "+13055552671",
    "+17135552671",
    "+16025552671",
    "+14015552671",
)


def local(zone: str, *at: int) -> datetime:
    return datetime(*at, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type, misc]


def fits(number: str, at: datetime, zone: str | None = None) -> bool:
    return RULES.window(RULES.place_of(number, zone), at).is_open


@pytest.mark.parametrize(
    ("number", "zone", "opens", "closes"),
    [
        # A Monday and a Sunday in March 2026.
        (NEW_YORK, "America/New_York", (2026, 3, 2, 8), (2026, 3, 2, 21)),
        (MIAMI, "America/New_York", (2026, 3, 2, 8), (2026, 3, 2, 20)),
        ("+12035552671", "America/New_York", (2026, 3, 2, 9), (2026, 3, 2, 20)),
        ("+12065552671", "America/Los_Angeles", (2026, 3, 2, 8), (2026, 3, 2, 20)),
        (HOUSTON, "America/Chicago", (2026, 3, 2, 9), (2026, 3, 2, 21)),
        (HOUSTON, "America/Chicago", (2026, 3, 1, 12), (2026, 3, 1, 21)),
        (PROVIDENCE, "America/New_York", (2026, 3, 2, 9), (2026, 3, 2, 18)),
        (PROVIDENCE, "America/New_York", (2026, 3, 1, 10), (2026, 3, 1, 17)),
        ("+442072343456", "Europe/London", (2026, 3, 2, 8), (2026, 3, 2, 21)),
        # Arizona has no summer time, and on the day of New York's change neither.
        (PHOENIX, "America/Phoenix", (2026, 3, 8, 8), (2026, 3, 8, 21)),
        (NEW_YORK, "America/New_York", (2026, 3, 8, 8), (2026, 3, 8, 21)),
    ],
)
def test_x4_each_place_has_its_hours(
    number: str, zone: str, opens: tuple[int, ...], closes: tuple[int, ...]
) -> None:
    begins, ends = local(zone, *opens), local(zone, *closes)
    minute = timedelta(minutes=1)
    key = RULES.place_of(number).key
    assert [fits(number, at) for at in (begins - minute, begins, ends - minute, ends)] == [
        False,
        True,
        True,
        False,
    ]
    assert RULES.next_open(key, begins - minute) == begins
    assert RULES.next_open(key, begins) == begins
    assert RULES.next_close(key, begins - minute) == RULES.next_close(key, begins) == ends


def test_x4_in_summer_arizona_is_an_hour_behind_denver() -> None:
    at = datetime(2026, 7, 6, 14, 30, tzinfo=UTC)
    assert fits("+13035552671", at)
    assert not fits(PHOENIX, at)


def test_x4_the_member_s_own_zone_wins_over_the_number_s_and_the_state_s_rule_stays() -> None:
    place = RULES.place_of(MIAMI, "Pacific/Honolulu")
    assert place.key == "US-FL Pacific/Honolulu"
    assert fits(MIAMI, local("Pacific/Honolulu", 2026, 3, 2, 19, 59), "Pacific/Honolulu")
    assert not fits(MIAMI, local("Pacific/Honolulu", 2026, 3, 2, 20), "Pacific/Honolulu")
    assert RULES.place_of(MIAMI, "Mars/Olympus") == RULES.place_of(MIAMI)


def test_x4_who_may_be_in_several_zones_is_texted_when_it_is_fit_in_each() -> None:
    """A mobile phone of Australia may be in Perth as well as in Sydney."""
    key = RULES.place_of("+61412345678").key
    opens = RULES.next_open(key, local("Australia/Sydney", 2026, 3, 2, 3))
    perth = opens.astimezone(ZoneInfo("Australia/Perth"))
    assert (perth.hour >= 8, opens.astimezone(ZoneInfo("Australia/Sydney")).hour < 21) == (
        True,
    ) * 2
    assert not fits("+61412345678", local("Australia/Sydney", 2026, 3, 2, 9))


@pytest.mark.parametrize("number", ["+80012345678", "+18885550100", "nonsense", ""])
def test_x4_a_number_that_may_be_anywhere_is_texted_some_time(number: str) -> None:
    key = RULES.place_of(number).key
    night = local("America/Los_Angeles", 2026, 3, 2, 3)
    assert RULES.next_open(key, night) > night


def test_x4_each_area_code_is_that_state_s_by_the_library_s_own_table() -> None:
    told = yaml.safe_load(FILE.read_text("utf-8"))
    assert told["countries"]["US"]["states"].keys() == STATES.keys()
    newer = {"471", "645", "656", "689", "728", "324", "448", "227", "572", "621", "564", "726"}
    for state, rule in told["countries"]["US"]["states"].items():
        assert "source" in rule
        for code in rule["area_codes"]:
            number = phonenumbers.parse(f"+1{code}5552671")
            where = geocoder.description_for_number(number, "en").rpartition(", ")[2]
            assert where in {STATES[state], state} or (
                where in {"", "United States"} and str(code) in newer
            ), (state, code, where)


@given(
    st.sampled_from(
        [NEW_YORK, MIAMI, HOUSTON, PHOENIX, PROVIDENCE, "+61412345678", "+79161234567"]
    ),
    st.datetimes(
        min_value=datetime(2025, 1, 1),  # noqa: DTZ001 - the strategy adds the zone.
        max_value=datetime(2028, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    ),
)
def test_x4_a_window_s_end_is_where_it_changes(number: str, at: datetime) -> None:
    place = RULES.place_of(number)
    window = RULES.window(place, at)
    instant = timedelta(microseconds=1)
    assert window.until > at
    assert RULES.window(place, window.until - instant).is_open is window.is_open
    assert RULES.window(place, window.until).is_open is not window.is_open
    opens = RULES.next_open(place.key, at)
    assert RULES.window(place, opens).is_open
    for zone in place.zones:
        assert 8 <= opens.astimezone(ZoneInfo(zone)).hour < 21


def book(**changes: Any) -> str:
    told: dict[str, Any] = {
        "default": {"hours": {"all": "08:00-21:00"}, "source": "ours"},
        "where_unknown": ["Etc/UTC"],
        "countries": {"US": {"hours": {"all": "08:00-21:00"}, "source": "law"}},
    }
    return yaml.safe_dump({**told, **changes})


def test_x4_hours_may_go_on_past_midnight() -> None:
    night = {"hours": {"mon-fri": "22:00-02:00", "sat-sun": "closed"}, "source": "x"}
    rules = Rules.parse(book(default=night))
    place = Place("DE", ("Europe/Berlin",))
    friday = local("Europe/Berlin", 2026, 3, 6, 23)
    assert rules.window(place, friday).until == local("Europe/Berlin", 2026, 3, 7, 2)
    after = local("Europe/Berlin", 2026, 3, 7, 3)
    assert rules.next_open(place.key, after) == local("Europe/Berlin", 2026, 3, 9, 22)


def test_x4_an_hour_that_the_clock_skips_or_repeats_is_read_strictly() -> None:
    rules = Rules.parse(book(default={"hours": {"all": "02:30-12:00"}, "source": "x"}))
    key = "DE America/New_York"
    gap = rules.next_open(key, local("America/New_York", 2027, 3, 14, 1))
    assert gap == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    rules = Rules.parse(book(default={"hours": {"all": "01:30-12:00"}, "source": "x"}))
    twice = rules.next_open(key, local("America/New_York", 2027, 11, 7, 0))
    assert twice == datetime(2027, 11, 7, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{", "YAML"),
        ("[]", "the file"),
        (book(default={"hours": {"all": "08:00-21:00"}}), "source is missing"),
        (book(default={"hours": {"all": "8-21"}, "source": "x"}), "08:00-21:00"),
        (book(default={"hours": {"mon-sat": "08:00-21:00"}, "source": "x"}), "sun has no hours"),
        (
            book(default={"hours": {"all": "08:00-21:00", "sun": "closed"}, "source": "x"}),
            "sun has hours twice",
        ),
        (book(default={"hours": {"noday": "08:00-21:00"}, "source": "x"}), "no day"),
        (book(default={"hours": {"sun-mon": "08:00-21:00"}, "source": "x"}), "backwards"),
        (book(default={"hours": {"all": "closed"}, "source": "x"}), "closed on every day"),
        (book(where_unknown=["Mars/Olympus"]), "Mars/Olympus"),
        (book(where_unknown=[]), "where_unknown"),
        (book(quiet={}), "quiet is not known"),
        (
            book(
                countries={
                    "US": {
                        "hours": {"all": "08:00-21:00"},
                        "source": "law",
                        "states": {
                            name: {
                                "hours": {"all": "08:00-20:00"},
                                "source": "law",
                                "area_codes": [305],
                            }
                            for name in ("FL", "TX")
                        },
                    }
                }
            ),
            "305",
        ),
    ],
)
def test_x4_rules_that_are_not_whole_are_refused_with_the_place(text: str, names: str) -> None:
    with pytest.raises(WrongRules, match=names):
        Rules.parse(text)


def test_x4_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongRules, match=r"elsewhere\.yaml"):
        quiet.load(tmp_path / "elsewhere.yaml")


def test_x4_the_rules_that_hold_here_are_those_delivered_with_us() -> None:
    key = quiet.place_key(MIAMI)
    assert key == "US-FL America/New_York"
    evening = local("America/New_York", 2026, 3, 2, 20, 30)
    assert quiet.next_open(key, evening) == local("America/New_York", 2026, 3, 3, 8)
