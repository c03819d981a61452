"""What `import swell` gives, and what it costs."""

import subprocess
import sys

import pytest

import swell


def test_every_public_name_can_be_had_and_is_what_it_is_called() -> None:
    for name in swell.__all__:
        value = getattr(swell, name)
        assert getattr(value, "__name__", name) == name
    assert set(swell.__all__) <= set(dir(swell))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'swell' has no attribute 'HtpUser'"):
        _ = swell.HtpUser  # type: ignore[attr-defined]


def test_importing_swell_does_not_import_gevent_and_patches_nothing() -> None:
    code = "import swell, sys, socket; swell.task; print('gevent' in sys.modules, socket.socket.__module__)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False", "socket"]
