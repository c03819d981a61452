"""The fixture `swell` of the end-to-end tests, here too."""

from tests.e2e.conftest import swell

__all__ = ["swell"]
