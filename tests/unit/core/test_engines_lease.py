"""ENGINE_LEASE_SECONDS: a lease into which no call fits is refused when the settings are read."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from alwrity_scheduler.engines import lease_length
from schedules.services.publishing import MARGIN_SECONDS


def test_the_shortest_lease_leaves_time_for_a_call():
    assert lease_length(8) - MARGIN_SECONDS == 3


def test_a_lease_into_which_no_call_fits_is_refused():
    with pytest.raises(ImproperlyConfigured, match="the shortest lease is 8 seconds"):
        lease_length(7)
