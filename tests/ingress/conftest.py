"""What the tests of the ingress share."""

from collections.abc import AsyncIterator

import pytest
from tests.ingress.doubles import encoded, signed
from tests.ingress.served import FORM, MEMBER, PATHS, SECRET_TEXT, Site, serving

from chassis.logs import configure


@pytest.fixture
async def site(capfd: pytest.CaptureFixture[str]) -> AsyncIterator[Site]:
    """A site; whatever was done to it, it answers well afterwards and logged nothing personal."""
    configure(service="ingress", instance="under-test")
    async with serving() as made:
        yield made
        form = {**FORM, "MessageSid": "SM-after"}
        right = signed(form, path=PATHS[0])
        assert await made.post(encoded(form), signature=right) == 200
    logged = "".join(capfd.readouterr())
    assert MEMBER.strip("+") not in logged
    assert SECRET_TEXT not in logged
    assert "Exception in ASGI" not in logged
