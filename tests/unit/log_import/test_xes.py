"""XES as it comes, and as somebody hostile would write it."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from streams.gateway.log_import import LogImport, LogUnreadable, Mapped
from tests.unit.log_import.logs import KEY, event, mapping, run_broken, run_xes, trace, written, xes


def refused(path: Path) -> tuple[int, LogUnreadable]:
    return run_broken(path, mapping())


@pytest.mark.parametrize("namespace", ["", 'xmlns="http://www.xes-standard.org/"', 'xmlns="urn:other"'])
def test_any_namespace_or_none_is_read(tmp_path: Path, namespace: str) -> None:
    content = xes(trace("w", event(0))).replace('xmlns="http://www.xes-standard.org/"', namespace)
    assert [*LogImport(written(tmp_path, content, "log.xes"), mapping(), actor_key=KEY)]


def test_prefixed_elements_are_read(tmp_path: Path) -> None:
    content = xes(trace("w", event(0))).replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?")
    path = written(tmp_path, content.replace("xmlns=", "xmlns:x="), "log.xes")
    assert len([*LogImport(path, mapping(), actor_key=KEY)]) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_declared_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    content = xes(trace("wé", event(0, team="Équipe"))).replace('"1.0"', f'"1.0" encoding="{encoding}"')
    path = written(tmp_path, content.encode(encoding), "log.xes")
    first = next(iter(LogImport(path, mapping(), actor_key=KEY)))
    assert isinstance(first, Mapped)
    assert first.event.subject == "wé"


def test_global_and_nested_attributes_are_not_the_events_own(tmp_path: Path) -> None:
    defaults = '<global scope="event"><string key="team" value="UNKNOWN"/></global>'
    nested = '<string key="note" value="x"><string key="team" value="NESTED"/></string>'
    listed = '<list key="l"><values><string key="status" value="Done"/></values></list>'
    bare = event(0, team=None, status="Work").replace("</event>", f"{nested}{listed}</event>")
    content = xes(trace("w", bare, event(1))).replace("<trace>", f"{defaults}<trace>", 1)
    path = written(tmp_path, content, "log.xes")
    log = LogImport(path, mapping(), actor_key=KEY)
    assert [one for one in log if not isinstance(one, Mapped)] == [("no_role", "line 3")]
    assert log.counts.mapped == {"tieline.work_item.assigned.v1": 1, "tieline.work_item.worked.v1": 1}


def test_events_outside_a_trace_can_name_their_work_item(tmp_path: Path) -> None:
    loose = event(0, case="w7")
    assert run_xes(tmp_path, loose).reasons() == ["no_work_item"]
    by_event = mapping(work_item={"attribute": "case", "level": "event"})
    assert run_xes(tmp_path, loose, rules=by_event).said() == [("w7", "assigned"), ("w7", "worked")]


def test_attributes_of_one_trace_do_not_leak_into_the_next(tmp_path: Path) -> None:
    nameless = trace("w", event(0)).replace('<string key="concept:name" value="w"/>', "")
    assert run_xes(tmp_path, trace("w", event(0)), nameless).reasons() == ["no_work_item"]


def test_entity_expansion_is_refused_before_it_expands(tmp_path: Path) -> None:
    layers = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE log [<!ENTITY e0 "ha">{layers}]>\n<log><trace>&e9;</trace></log>'
    events, error = refused(written(tmp_path, bomb, "bomb.xes"))
    assert events == 0
    assert "DOCTYPE" in error.reason


def test_external_entity_is_never_read(tmp_path: Path) -> None:
    secret = written(tmp_path, "the secret", "secret.txt")
    hostile = (
        f'<?xml version="1.0"?><!DOCTYPE log [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
        '<log><trace><string key="concept:name" value="w"/><event>&e;</event></trace></log>'
    )
    assert "DOCTYPE" in refused(written(tmp_path, hostile, "hostile.xes"))[1].reason


def test_broken_xml_ends_after_what_was_read_and_says_where(tmp_path: Path) -> None:
    content = xes(trace("w", event(0)), trace("x", event(0)), trace("Zebedee", "<event><oops</event>"))
    events, error = refused(written(tmp_path, content, "log.xes"))
    assert events == 4
    assert error.position == "line 5"
    assert "broken XML" in str(error)
    assert "Zebedee" not in str(error)


def test_truncated_xml_ends_after_what_was_read(tmp_path: Path) -> None:
    content = xes(trace("w", event(0)), trace("x", event(0)))
    events, error = refused(written(tmp_path, content[: content.rindex("<event>")], "log.xes"))
    assert events == 2
    assert "no element found" in error.reason


def test_truncated_gzip_ends_after_what_was_read(tmp_path: Path) -> None:
    whole = gzip.compress(xes(*(trace(f"w{n}", event(n, who=f"{n * 7919}")) for n in range(5000))).encode())
    events, error = refused(written(tmp_path, whole[: len(whole) // 2], "log.xes"))
    assert 3_000 < events < 7_000
    assert error.position.startswith("line ")
    assert "not complete" in error.reason


def test_damaged_gzip_is_an_error_of_the_file(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(xes(trace("w", event(0))).encode()))
    whole[-5] ^= 0xFF
    events, error = refused(written(tmp_path, bytes(whole), "log.xes"))
    assert events == 2
    assert "damaged" in error.reason


def test_gzip_bomb_in_one_value_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    start = xes(trace("w", event(0)), "<trace><string key='concept:name' value='").removesuffix("\n</log>").encode()
    path = tmp_path / "bomb.xes.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(start)
        for _ in range(64):
            file.write(b"A" * 1024 * 1024)
    tracemalloc.start()
    events, error = refused(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert events == 2
    assert "4 MiB" in error.reason
    assert peak < 20 * 1024 * 1024


def test_endless_attributes_of_one_event_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xes.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"<log><trace><event>")
        for n in range(200_000):
            file.write(b'<string key="k%d" value="v"/>' % n)
    tracemalloc.start()
    refused(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no element found"),
        ("<html><body/></html>", "not `log`"),
        ("not xml", "syntax error"),
        ("<log>" + "<list>" * 300, "nested"),
        ("<log><trace><event>" + "<list>" * 300, "nested"),
        ('<?xml version="1.0" encoding="klingon"?><log/>', "encoding"),
    ],
)
def test_what_is_no_xes_is_refused_with_its_reason(tmp_path: Path, content: str, complaint: str) -> None:
    assert complaint in refused(written(tmp_path, content, "log.xes"))[1].reason


def test_values_are_unescaped(tmp_path: Path) -> None:
    out = run_xes(tmp_path, trace("a & b", event(0, team='"<&>"')))
    assert (out.events[0].event.subject, out.data(0).role) == ("a & b", '"<&>"')
