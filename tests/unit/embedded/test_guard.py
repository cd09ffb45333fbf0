"""What read-only users may run, against every trick that we know."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Rule = Callable[..., int]


@pytest.fixture(scope="module")
def rule(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rule]:
    """(sql, user, current database) → 0, or the code of the refusal."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.embedded.guard_process", str(tmp_path_factory.mktemp("guard"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdin is not None
    assert process.stdout is not None
    requests, answers = process.stdin, process.stdout
    assert answers.readline() == "ready\n"

    def ask(sql: str, user: str = "reader", database: str = "tieline") -> int:
        requests.write(json.dumps([user, sql, database]) + "\n")
        requests.flush()
        code: int = json.loads(answers.readline())[0]
        return code

    yield ask
    requests.close()
    process.wait(timeout=20)


ALLOWED = [
    "SELECT 1",
    "SELECT * FROM tieline.quality_charts",
    "select role, estimate from quality_charts order by estimate desc limit 5 format JSONEachRow",
    "SELECT * FROM tieline.ties(run = 'live')",
    "SELECT * FROM ties(run = {run:String}) AS t JOIN quality_charts AS q USING (role)",
    "SELECT * FROM `tieline`.`quality_charts`;",
    "WITH worst AS (SELECT * FROM quality_charts) SELECT count() FROM worst -- evidence",
    "WITH 5 AS n SELECT n, (SELECT max(estimate) FROM quality_charts) AS top",
    "SELECT toStartOfInterval(toDateTime(1), INTERVAL 300 second) AS time, countIf(estimate > 1),"
    " quantile(0.9)(estimate), sumOrNullIf(estimate, 1), uniqExact(role),"
    " avg(estimate) OVER (ORDER BY role) FROM quality_charts GROUP BY ALL",
    "SELECT arrayMap(x -> x + 1, [1]), if(1, 'a', 'b'), CAST(1 AS String), 1::Float64, role IN ('a', 'b'),"
    " role LIKE '%x' FROM quality_charts",
    "SELECT role IN (SELECT role FROM quality_charts) FROM quality_charts",
    "SELECT number FROM numbers(10) UNION ALL SELECT number FROM generateSeries(1, 3)",
    "SELECT 'INTO OUTFILE', 'file(''x'')', shown(1.234)",
    "SELECT 1 SETTINGS max_execution_time = 5, final = 1",
    "SELECT displayName(), version(), revision(), timezone(), currentDatabase(), currentUser()",
    "SELECT name, value, readonly FROM system.settings LIMIT 10000",
    "SHOW TABLES",
    "SHOW TABLES FROM tieline LIKE 'q%'",
    "SHOW DATABASES",
    "DESCRIBE TABLE tieline.quality_charts",
    "DESC ties(run = 'x')",
    "DESCRIBE (SELECT * FROM quality_charts) FORMAT JSON",
    "EXISTS TABLE tieline.quality_charts",
    "SHOW CREATE VIEW quality_charts",
    "EXPLAIN indexes = 1 SELECT * FROM quality_charts",
]

TABLES = [
    "SELECT * FROM tieline.evidence",
    "SELECT * FROM evidence",
    "SELECT * FROM EVIDENCE",
    "SELECT * FROM `evidence`",
    'SELECT * FROM "tieline"."evidence"',
    "SELECT * FROM/**/tieline . evidence",
    "SELECT * FROM tieline.quality_charts, tieline.evidence",
    "SELECT (SELECT count() FROM evidence)",
    "SELECT * FROM (SELECT * FROM (SELECT * FROM evidence))",
    "SELECT 1 UNION ALL SELECT value FROM evidence",
    "SELECT 1 EXCEPT SELECT value FROM evidence",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM evidence)",
    "SELECT * FROM quality_charts AS q ANY LEFT JOIN evidence USING role",
    "SELECT 1 IN evidence",
    "SELECT 1 IN tieline.evidence",
    "SELECT 1 IN (tieline.evidence)",
    "SELECT in(1, evidence), globalNotNullIn(1, tieline.evidence)",
    "SELECT 1 ORDER BY (1 GLOBAL NOT IN evidence)",
    "WITH evidence AS t SELECT 1 IN t",
    "WITH evidence AS t, t AS u SELECT 1 IN u",
    "WITH tieline.evidence AS t SELECT * FROM t",
    "WITH tieline.evidence AS quality_charts SELECT * FROM quality_charts",
    "WITH evidence AS (SELECT 1) SELECT * FROM evidence",
    "SELECT * FROM (WITH evidence AS (SELECT 1) SELECT 1), evidence",
    "SELECT arrayMap(x -> (SELECT max(value) FROM evidence), [1])",
    "SELECT 1 LIMIT (SELECT count() FROM evidence)",
    "SELECT * APPLY (x -> x IN evidence) FROM quality_charts",
    "SELECT * REPLACE ((SELECT max(value) FROM evidence) AS estimate) FROM quality_charts",
    "SELECT sum(1) OVER (ORDER BY (SELECT max(value) FROM evidence)) FROM quality_charts",
    "SELECT role FROM quality_charts QUALIFY role IN (SELECT role FROM evidence)",
    "SELECT n FROM (SELECT 1 AS n) ORDER BY n WITH FILL FROM (SELECT count() FROM evidence) TO 9",
    "SELECT role FROM quality_charts ARRAY JOIN [(SELECT max(value) FROM evidence)] AS v",
    "EXPLAIN SELECT * FROM evidence",
    "EXPLAIN SELECT (SELECT max(value) FROM evidence)",
    "DESCRIBE TABLE evidence",
    "DESCRIBE (SELECT * FROM evidence)",
    "EXISTS evidence",
    "EXISTS (SELECT 1 FROM evidence)",
    "SHOW CREATE TABLE tieline.evidence",
    "SHOW CREATE DATABASE tieline",
    "SELECT * FROM `tieline.quality_charts`",
    "SELECT * FROM tieline.`quality_.evidence`",
    "SELECT * FROM {t:Identifier}",
    "SELECT {c:Identifier} FROM quality_charts",
    "SELECT * FROM tieline.auditor_evidence",
    "SELECT * FROM system.tables",
    "SELECT * FROM system.query_log",
    "SELECT * FROM system.parts",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM merge('tieline', 'evidence')",
    "SELECT * FROM merge('evidence')",
    "SELECT * FROM loop('tieline', 'evidence')",
    "SELECT * FROM view(SELECT 1)",
    "SELECT * FROM viewIfPermitted(SELECT 1 ELSE null('a Int8'))",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))",
    "SELECT * FROM mergeTreeIndex(tieline, evidence)",
    "SELECT * FROM dictionary('d')",
    "SELECT * FROM cluster('c', tieline.evidence)",
    "SELECT * FROM remote('127.0.0.1', tieline.evidence)",
    "SELECT joinGet('tieline.evidence', 'value', 'ed')",
    "SELECT dictGet('d', 'a', 1), dictGetOrNull('d', 'a', 1)",
    "SELECT hasColumnInTable('tieline', 'evidence', 'value')",
]

OUTSIDE = [
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM FILE('/etc/passwd', LineAsString)",
    "SELECT * FROM `file`('/etc/passwd', 'LineAsString')",
    "SELECT * FROM\n/* numbers(1) */ file ( '/etc/passwd' , 'LineAsString' )",
    "SELECT * FROM -- '\n file('/etc/passwd', 'LineAsString') -- '",
    "SELECT file('/etc/passwd')",
    "SELECT `file`('/etc/passwd')",
    "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
    "SELECT * APPLY file FROM (SELECT '/etc/passwd')",
    "SELECT * APPLY (x -> file(x)) FROM (SELECT '/etc/passwd')",
    "SELECT 1 IN file('/etc/passwd', 'LineAsString')",
    "SELECT 1 IN url('http://127.0.0.1/', 'CSV')",
    "SELECT * FROM url('http://127.0.0.1/', 'CSV', 'a String')",
    "SELECT * FROM urlCluster('c', 'http://127.0.0.1/')",
    "SELECT * FROM s3('http://127.0.0.1/b/k', 'CSV')",
    "SELECT * FROM gcs('http://127.0.0.1/b/k', 'CSV')",
    "SELECT * FROM azureBlobStorage('c', 'c', 'p')",
    "SELECT * FROM hdfs('hdfs://h/p', 'CSV')",
    "SELECT * FROM iceberg('http://127.0.0.1/')",
    "SELECT * FROM deltaLake('http://127.0.0.1/')",
    "SELECT * FROM hudi('http://127.0.0.1/')",
    "SELECT * FROM icebergLocal('/tmp')",
    "SELECT * FROM mysql('h:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('h:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM mongodb('h:1', 'd', 'c', 'u', 'p', 'a String')",
    "SELECT * FROM redis('h:1', 'k', 'k String')",
    "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "SELECT * FROM odbc('DSN=x', 'd', 't')",
    "SELECT * FROM jdbc('x', 'd', 't')",
    "SELECT * FROM remoteSecure('h', system.one)",
    "SELECT * FROM executable('id', 'TSV', 'a String')",
    "SELECT * FROM python('x')",
    "SELECT * FROM Python(x)",
    "SELECT * FROM arrowstream('x')",
    "SELECT * FROM filesystem('/etc')",
    "SELECT * FROM fuzzJSON('x')",
    "SELECT * FROM input('a String')",
    "SELECT * FROM eval('SELECT 1')",
    "SELECT * FROM format('CSV', '1')",
    "WITH x AS (SELECT * FROM file('/etc/passwd', 'LineAsString')) SELECT 1",
    "EXPLAIN SELECT * FROM url('http://127.0.0.1/', 'CSV')",
    "EXPLAIN TABLE OVERRIDE mysql('h:1', 'd', 't', 'u', 'p') COLUMNS (a String)",
    "DESCRIBE TABLE file('/etc/passwd')",
    "DESC url('http://127.0.0.1/')",
    "DESCRIBE TABLE quality_charts, file('/etc/passwd')",
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    "SELECT 1 into/**/outfile '/tmp/x' FORMAT CSV",
    "DESCRIBE TABLE quality_charts INTO OUTFILE '/tmp/x'",
    "SHOW TABLES INTO OUTFILE '/tmp/x'",
    "EXPLAIN SELECT 1 INTO OUTFILE '/tmp/x'",
    "SELECT reverseDNSQuery('127.0.0.1'), getMacro('x'), getServerSetting('x')",
    "SELECT aiGenerate('x')",
    "SELECT sleep(3), sleepEachRow(3)",
    "SELECT throwIf(1)",
    "SELECT showCertificate(), getClientHTTPHeader('Authorization'), filesystemAvailable()",
    "SELECT addressToLine(1), logTrace('x')",
]

WRITES = [
    "INSERT INTO tieline.evidence VALUES ('a', 1)",
    "INSERT INTO FUNCTION file('/tmp/x') SELECT 1",
    "/* SELECT */ INSERT INTO tieline.evidence SELECT 'a', 1",
    "CREATE TABLE t (a UInt8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE t (a UInt8)",
    "CREATE VIEW quality_mine AS SELECT * FROM tieline.evidence",
    "CREATE FUNCTION f AS x -> x",
    "ALTER TABLE tieline.evidence DELETE WHERE 1",
    "DELETE FROM tieline.evidence WHERE 1",
    "UPDATE tieline.evidence SET value = 1 WHERE 1",
    "DROP TABLE tieline.evidence",
    "TRUNCATE TABLE tieline.evidence",
    "RENAME TABLE tieline.evidence TO tieline.quality_x",
    "EXCHANGE TABLES tieline.evidence AND tieline.quality_charts",
    "DETACH TABLE tieline.evidence",
    "ATTACH TABLE x FROM '/etc' (a String) ENGINE = File(CSV)",
    "OPTIMIZE TABLE tieline.evidence",
    "SYSTEM FLUSH LOGS",
    "SYSTEM SHUTDOWN",
    "SET max_threads = 1",
    "SET readonly = 0",
    "USE system",
    "KILL QUERY WHERE 1",
    "GRANT ALL ON *.* TO reader",
    "BACKUP DATABASE tieline TO File('/tmp/b')",
    "EXECUTE AS default SELECT 1",
    "SHOW PROCESSLIST",
    "SHOW GRANTS",
    "CHECK TABLE tieline.evidence",
    "BEGIN TRANSACTION",
    "\u2028DROP TABLE tieline.evidence",
    "SELECT 1 PARALLEL WITH DROP TABLE tieline.evidence",
]

SETTINGS = [
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 SETTINGS max_execution_time = 0",
    "SELECT 1 SETTINGS max_execution_time = 86400",
    "SELECT 1 SETTINGS max_memory_usage = 0",
    "SELECT 1 SETTINGS max_result_rows = 'x'",
    "SELECT 1 SETTINGS allow_introspection_functions = 1",
    "SELECT * FROM (SELECT 1 SETTINGS max_threads = 64)",
    "SELECT 1 FORMAT CSV SETTINGS format_schema = '/etc/passwd'",
    "SELECT 1 SETTINGS additional_table_filters = {'tieline.quality_charts': '1'}",
]

MALFORMED = [
    "SELECT (",
    "",
    ";",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE tieline.evidence",
    "SELECT 'x",
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_what_dashboards_need_is_allowed(rule: Rule, sql: str) -> None:
    assert rule(sql) == 0


@pytest.mark.parametrize("sql", TABLES)
def test_tables_that_are_not_granted_are_out_of_reach(rule: Rule, sql: str) -> None:
    assert rule(sql) in (497, 164)


@pytest.mark.parametrize("sql", OUTSIDE)
@pytest.mark.parametrize("user", ["reader", "everything"])
def test_files_servers_and_processes_are_out_of_reach_whatever_is_granted(rule: Rule, sql: str, user: str) -> None:
    assert rule(sql, user) != 0


@pytest.mark.parametrize("sql", WRITES)
@pytest.mark.parametrize("user", ["reader", "auditor", "everything"])
def test_nothing_but_reading_is_allowed(rule: Rule, sql: str, user: str) -> None:
    assert rule(sql, user) in (164, 497, 62)


@pytest.mark.parametrize("sql", SETTINGS)
def test_limits_cannot_be_loosened(rule: Rule, sql: str) -> None:
    assert rule(sql) == 164


@pytest.mark.parametrize("sql", MALFORMED)
def test_what_is_not_one_statement_is_refused(rule: Rule, sql: str) -> None:
    assert rule(sql) != 0


def test_the_auditor_sees_more_than_the_reader_and_less_than_everything(rule: Rule) -> None:
    sql = "SELECT * FROM tieline.auditor_evidence"
    assert (rule(sql, "reader"), rule(sql, "auditor"), rule("SELECT * FROM evidence", "auditor")) == (497, 0, 497)


def test_bare_names_belong_to_the_current_database(rule: Rule) -> None:
    assert rule("SELECT * FROM quality_charts", database="default") == 497
    assert rule("SELECT * FROM settings", database="system") == 0
    assert rule("SELECT * FROM tables", database="system") == 497
