"""The three research logs, all the way into ClickHouse: exactly what was counted independently."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.gateway.log_import import LogImport, Mapped, read_mapping
from tests.brokers import Broker
from tests.integration.pipeline.conftest import KEY
from tests.integration.pipeline.running import ROOT, Running, running

_COUNTS = """
SELECT count(), uniqExact(work_item), uniqExact(from_role, to_role), countIf(bounced), uniqExactIf(work_item, bounced)
FROM handoffs FINAL WHERE process = '{process}'"""


def import_log(tieline: Running, shared_data: Path, file: str, mapping: str) -> None:
    log = LogImport(
        shared_data / "data" / file, read_mapping(ROOT / "deploy" / "mappings" / f"{mapping}.yaml"), None, KEY
    )
    tieline.send(outcome.event for outcome in log if isinstance(outcome, Mapped))


@pytest.mark.shared
@pytest.mark.slow
def test_the_research_logs_give_the_counted_handoffs(fresh_tansu: Broker, tmp_path: Path, shared_data: Path) -> None:
    with running(fresh_tansu, tmp_path / "data", ROOT / "deploy" / "policies") as tieline:
        import_log(tieline, shared_data, "bpic2013_closed_problems.xes.gz", "volvo-problems")
        import_log(tieline, shared_data, "receipt.xes.gz", "permit-receipt")
        import_log(tieline, shared_data, "helpdesk.xes.gz", "helpdesk")
        tieline.drain()

        def counts(process: str) -> tuple[object, ...]:
            return tieline.rows(_COUNTS.format(process=process))[0]

        def volvo(condition: str) -> int:
            sql = f"SELECT count() FROM handoffs FINAL WHERE process = 'volvo-problems' AND ({condition})"
            return int(str(tieline.rows(sql)[0][0]))

        assert counts("volvo-problems") == (655, 280, 379, 186, 107)
        assert counts("permit-receipt") == (5_440, 1_318, 43, 439, 269)
        assert counts("helpdesk") == (8_648, 4_577, 244, 306, 269)
        items = "SELECT uniqExact(work_item) FROM work_items FINAL WHERE process = 'volvo-problems'"
        assert tieline.rows(items) == [(1_487,)]
        assert volvo("from_role = 'G199 3rd' AND to_role = 'G21 2nd'") == 37
        assert volvo("from_role = 'G21 2nd' AND to_role = 'G199 3rd'") == 31
        assert volvo("state = 'accepted'") == 540
        assert volvo("state = 'passed_on'") == 115
        assert volvo("waited_s <= 4 * 3600") == 405
        assert volvo("bounced AND NOT worked") == 48
        assert tieline.rows("SELECT count() FROM dead_letters") == [(0,)]
        shown = tieline.rows(
            "SELECT status, count() FROM ties(run='live', from='2000-01-01 00:00:00', to='2030-01-01 00:00:00',"
            " process='volvo-problems', site='') WHERE dimension = 'timeliness' GROUP BY status"
        )
        hidden = {str(status): int(str(number)) for status, number in shown}
        assert hidden.get("shown", 0) < 5 < hidden["hidden: too few people"], "honest output is mostly hidden"
