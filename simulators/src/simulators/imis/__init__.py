"""An iMIS that stands at the HTTP boundary, in its 2017 and its EMS shape."""

from simulators.imis.app import ImisSimulator
from simulators.imis.settings import Profile, Settings

__all__ = ["ImisSimulator", "Profile", "Settings"]
