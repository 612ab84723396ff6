"""Whether the machine runs on its battery, by what the system says of it."""

from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from fimserver.models import hardware


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(SimpleNamespace(power_plugged=False), True, id="unplugged"),
        pytest.param(SimpleNamespace(power_plugged=True), False, id="plugged in"),
        pytest.param(SimpleNamespace(power_plugged=None), False, id="the system does not know"),
        pytest.param(None, False, id="there is no battery"),
    ],
)
def test_a_machine_is_on_battery_only_where_the_system_is_sure(
    monkeypatch: pytest.MonkeyPatch, found: Any, expected: bool
) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: found, raising=False)
    hardware._battery_in_use.cache_clear()
    assert hardware.on_battery() is expected
    hardware._battery_in_use.cache_clear()


def test_a_driver_that_fails_is_no_battery(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError

    monkeypatch.setattr(psutil, "sensors_battery", fail, raising=False)
    hardware._battery_in_use.cache_clear()
    assert hardware.on_battery() is False
    hardware._battery_in_use.cache_clear()
