"""No number stands in an id: what stands in for it says nothing without the key."""

from uuid import UUID

from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pydantic import SecretStr

from chassis.secrets import Fingerprints

KEY = SecretStr(Fernet.generate_key().decode())
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ONE, TWO = UUID(int=1), UUID(int=2)


def test_it_is_the_same_in_each_process_and_another_under_another_key() -> None:
    first = Fingerprints(KEY).of(ONE, "+12025550100", "+12025550143")
    assert first == Fingerprints(KEY).of(ONE, "+12025550100", "+12025550143")
    other = Fingerprints(SecretStr(Fernet.generate_key().decode()))
    assert first != other.of(ONE, "+12025550100", "+12025550143")
    assert len(first) == 64
    assert "2025550143" not in first


def test_one_number_is_unlike_itself_in_two_organisations() -> None:
    names = Fingerprints(KEY)
    assert names.of(ONE, "", "+12025550143") != names.of(TWO, "", "+12025550143")


@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
@profile(deadline=None)
def test_only_the_same_parts_have_the_same_fingerprint(these: list[str], those: list[str]) -> None:
    same = Fingerprints(KEY).of(ONE, *these) == Fingerprints(KEY).of(ONE, *those)
    assert same == (these == those)
