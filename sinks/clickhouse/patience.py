"""Blocking calls to a store that may be slow or away, for work that can be given up and taken up again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from schemas.errors import ConfigError, TielineError, TransientError
from sinks.clickhouse.faults import fault_of

Result = TypeVar("Result")
PATIENCE_S = 120.0
# What passes by itself: no answer, timeouts, limits on load and memory, a store that is shutting down.
_PASSING = frozenset({0, 159, 160, 202, 203, 209, 210, 236, 241, 242, 243, 252, 394, 439, 999})
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0


def patiently(
    work: Callable[[], Result], patience_s: float = PATIENCE_S, sleep: Callable[[float], None] = time.sleep
) -> Result:
    """The result of `work`, which is tried again while the store is away.

    Raises:
        ClickHouseError: a row is refused for what it holds.
        ConfigError: the account is refused.
        TransientError: nothing has succeeded for `patience_s` seconds.
        TielineError: the store says no for a reason that does not pass.
    """
    pause_s, waited_s = _FIRST_PAUSE_S, 0.0
    while True:
        try:
            return work()
        except (ClickHouseError, HTTPError, OSError) as error:
            fault = fault_of(error)
            if fault.of_a_row:
                raise
            if fault.refuses_account:
                raise ConfigError(f"the store refuses the account (code {fault.code})") from None
            if fault.code not in _PASSING:
                raise TielineError(f"the store says no (code {fault.code})") from error
            if waited_s >= patience_s:
                raise TransientError(f"clickhouse: {fault.label}", pause_s) from None
        sleep(pause_s)
        waited_s += pause_s
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
