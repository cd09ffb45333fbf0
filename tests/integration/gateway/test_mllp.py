"""The MLLP server on a real socket, before an intake that keeps in memory, and before the whole gateway."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.errors import ConfigError, InvalidEvent, TransientError
from streams.gateway.connectors.connector import Delivery
from streams.gateway.connectors.hl7v2 import Hl7v2
from streams.gateway.intake import Taken
from streams.gateway.mllp.frames import END, framed
from streams.gateway.mllp.server import MllpServer, MllpSettings
from streams.gateway.mllp.tls import server_tls
from tests.integration.gateway.certificates import Certificates, certificates
from tests.unit.connectors.context import context
from tests.unit.connectors.payloads_hl7v2 import adt, header, message

AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
SETTINGS = MllpSettings(port=0, max_bytes=4096, connections=3, idle_s=20, frame_s=20, grace_s=5)


@dataclass
class InMemoryIntake:
    """Reads like a gateway's intake, and keeps drafts. `gate` holds messages back until it is set."""

    kept: list[str] = field(default_factory=list)
    away: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    async def take(self, delivery: Delivery) -> Taken:
        self.waiting.set()
        await self.gate.wait()
        if self.away:
            raise TransientError("the log is away")
        if self.fails:
            raise RuntimeError("SURNAME")
        try:
            reading = Hl7v2().read(delivery, context())
        except InvalidEvent as invalid:
            return Taken(unreadable=invalid)
        self.kept += [draft.id for draft in reading.drafts]
        return Taken(len(reading.drafts), len(reading.unused))


@dataclass
class Sender:
    """What sits at the other end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *messages: bytes) -> None:
        self.writer.write(b"".join(framed(each) for each in messages))
        await self.writer.drain()

    async def answer(self) -> str:
        """The next acknowledgement's MSA segment."""
        async with asyncio.timeout(10):
            block = await self.reader.readuntil(END)
        return block.decode("latin-1").split("\r")[1]

    async def ask(self, body: bytes) -> str:
        await self.send(body)
        return await self.answer()

    async def hung_up(self) -> bool:
        """Whether the server says nothing more."""
        async with asyncio.timeout(10):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True


@asynccontextmanager
async def serving(
    intake: InMemoryIntake, settings: MllpSettings = SETTINGS, client: ssl.SSLContext | None = None, senders: int = 1
) -> AsyncIterator[tuple[MllpServer, Sequence[Sender]]]:
    server = MllpServer("his", intake, settings, lambda: AT)
    port = await server.start()
    connected = [
        Sender(
            *await asyncio.open_connection(
                "127.0.0.1", port, ssl=client, server_hostname="localhost" if client else None
            )
        )
        for _ in range(senders)
    ]
    try:
        yield server, connected
    finally:
        for sender in connected:
            sender.writer.close()
        await server.stop()


async def test_message_is_accepted_once_its_events_are_kept() -> None:
    intake = InMemoryIntake()
    async with serving(intake) as (_, [sender]):
        assert await sender.ask(adt("A01")) == "MSA|AA|C1"
        assert len(intake.kept) == 2


async def test_message_is_not_accepted_before_its_events_are_kept() -> None:
    intake = InMemoryIntake()
    intake.gate.clear()
    async with serving(intake) as (_, [sender]):
        await sender.send(adt("A01"))
        await intake.waiting.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await sender.reader.read(1)
        intake.gate.set()
        assert await sender.answer() == "MSA|AA|C1"


async def test_messages_of_a_connection_are_answered_in_their_order() -> None:
    async with serving(InMemoryIntake()) as (_, [sender]):
        await sender.send(*(adt("A02", msh={10: f"C{number}"}) for number in range(20)))
        assert [await sender.answer() for _ in range(20)] == [f"MSA|AA|C{number}" for number in range(20)]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (adt("A02", occurred="soon"), "MSA|AE|C1"),
        (adt("A02", msh={11: "T"}), "MSA|AR|C1"),
        (b"nothing of HL7", "MSA|AR|"),
        (message(header("SIU^S12")), "MSA|AA|C1"),
        (adt("A02", msh={15: "AL"}), "MSA|CA|C1"),
    ],
)
async def test_what_became_of_a_message_is_told(body: bytes, answer: str) -> None:
    async with serving(InMemoryIntake()) as (_, [sender]):
        assert await sender.ask(body) == answer
        assert await sender.ask(adt("A01")) == "MSA|AA|C1"


async def test_message_that_cannot_be_taken_now_is_rejected_and_the_connection_stays() -> None:
    intake = InMemoryIntake(away=True)
    async with serving(intake) as (_, [sender]):
        assert await sender.ask(adt("A01")) == "MSA|AR|C1"
        intake.away = False
        assert await sender.ask(adt("A01")) == "MSA|AA|C1"


async def test_failure_of_ours_is_rejected_and_nothing_of_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(InMemoryIntake(fails=True)) as (_, [sender]):
        assert await sender.ask(adt("A01")) == "MSA|AR|C1"
    assert "RuntimeError" in caplog.text
    assert "SURNAME" not in caplog.text


async def test_acknowledgement_is_not_answered() -> None:
    async with serving(InMemoryIntake()) as (_, [sender]):
        await sender.send(message(header("ACK")), adt("A01"))
        assert await sender.answer() == "MSA|AA|C1"


async def test_message_that_is_too_large_is_rejected_and_the_connection_closed() -> None:
    async with serving(InMemoryIntake()) as (_, [sender]):
        assert await sender.ask(adt("A01", pv1={5: "x" * 5000})) == "MSA|AR|C1"
        assert await sender.hung_up()


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n", b"\x0bMSH|^~\\&|"])
async def test_what_is_not_mllp_or_breaks_off_gets_no_answer(sent: bytes) -> None:
    async with serving(InMemoryIntake()) as (_, [sender]):
        sender.writer.write(sent)
        sender.writer.write_eof()
        assert await sender.hung_up()


async def test_sender_that_is_silent_or_slow_is_hung_up_on() -> None:
    hasty = replace(SETTINGS, idle_s=0.05, frame_s=0.05)
    async with serving(InMemoryIntake(), hasty, senders=3) as (_, senders):
        senders[1].writer.write(b"\r\n")
        senders[2].writer.write(b"\x0bMSH")
        assert [await sender.hung_up() for sender in senders] == [True] * 3


async def test_more_connections_than_allowed_are_closed_at_once() -> None:
    async with serving(InMemoryIntake(), senders=4) as (_, senders):
        assert await senders[3].hung_up()
        assert [await sender.ask(adt("A01")) for sender in senders[:3]] == ["MSA|AA|C1"] * 3


async def test_connections_that_end_make_room() -> None:
    async with serving(InMemoryIntake(), replace(SETTINGS, connections=1)) as (server, [sender]):
        assert await sender.ask(adt("A01")) == "MSA|AA|C1"
        sender.writer.close()
        port = server.port
        async with asyncio.timeout(10):
            while True:
                again = Sender(*await asyncio.open_connection("127.0.0.1", port))
                try:
                    assert await again.ask(adt("A01")) == "MSA|AA|C1"
                    break
                except (asyncio.IncompleteReadError, ConnectionResetError):
                    await asyncio.sleep(0.01)
                finally:
                    again.writer.close()


async def test_stopping_lets_a_message_in_work_get_its_acknowledgement() -> None:
    intake = InMemoryIntake()
    intake.gate.clear()
    async with serving(intake, senders=2) as (server, [idle, busy]):
        await busy.send(adt("A01"))
        await intake.waiting.wait()
        stopping = asyncio.create_task(server.stop())
        assert await idle.hung_up()
        intake.gate.set()
        assert await busy.answer() == "MSA|AA|C1"
        assert await busy.hung_up()
        await stopping


async def test_stopping_does_not_wait_for_ever() -> None:
    intake = InMemoryIntake()
    intake.gate.clear()
    async with serving(intake, replace(SETTINGS, grace_s=0.05)) as (server, [sender]):
        await sender.send(adt("A01"))
        await intake.waiting.wait()
        async with asyncio.timeout(5):
            await server.stop()
        assert await sender.hung_up()


async def test_sender_that_hangs_up_too_early_harms_nobody() -> None:
    intake = InMemoryIntake()
    intake.gate.clear()
    async with serving(intake, senders=2) as (_, [gone, other]):
        await gone.send(adt("A01"))
        await intake.waiting.wait()
        gone.writer.transport.abort()
        intake.gate.set()
        assert await other.ask(adt("A03")) == "MSA|AA|C1"
        assert len(intake.kept) == 3


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


class TestTls:
    """A sender proves who it is by its certificate."""

    def settings(self, certs: Certificates) -> MllpSettings:
        return replace(SETTINGS, tls=server_tls(certs.server, certs.server_key, certs.authority))

    async def test_sender_with_a_certificate_is_served(self, certs: Certificates) -> None:
        client = ssl.create_default_context(cafile=str(certs.authority))
        client.load_cert_chain(certs.client, certs.client_key)
        async with serving(InMemoryIntake(), self.settings(certs), client) as (_, [sender]):
            assert await sender.ask(adt("A01")) == "MSA|AA|C1"

    async def test_sender_without_a_certificate_is_not(self, certs: Certificates) -> None:
        client, intake = ssl.create_default_context(cafile=str(certs.authority)), InMemoryIntake()
        with pytest.raises((ssl.SSLError, OSError, asyncio.IncompleteReadError)):
            async with serving(intake, self.settings(certs), client) as (_, [sender]):
                await sender.ask(adt("A01"))
        assert not intake.kept

    async def test_sender_in_the_clear_is_not(self, certs: Certificates) -> None:
        intake = InMemoryIntake()
        async with serving(intake, self.settings(certs)) as (_, [sender]):
            await sender.send(adt("A01"))
            assert await sender.hung_up()
        assert not intake.kept

    def test_files_that_are_no_certificates_are_named(self, tmp_path: Path, certs: Certificates) -> None:
        wrong = tmp_path / "wrong.pem"
        wrong.write_text("SECRET")
        for files in (
            (wrong, certs.server_key, None),
            (certs.server, tmp_path / "none", None),
            (certs.server, certs.client_key, None),
            (certs.server, certs.server_key, wrong),
        ):
            with pytest.raises(ConfigError) as refusal:
                server_tls(*files)
            assert "SECRET" not in str(refusal.value)
