"""Who takes part, what each needs, and what each promises: the fastest loop is no rival of one that keeps state."""

from __future__ import annotations

from dataclasses import dataclass

INFER, PAIRS, READ = "infer", "pairs", "read"


@dataclass(frozen=True)
class Contender:
    """One way to do a job.

    Attributes:
        module: under `benchmarks.frameworks`; empty: Java.
        requires: packages for a virtual environment of its own; none: that of the benchmarks will do.
        ends: it ends by itself once everything is committed; the others are watched until their group has.
        stateful: what it knows of a work item survives its process.
        jobs: those it can do.
        java: it runs on a JVM.
        slow: it gets a quarter of the small job's events, or a run would take minutes.
    """

    name: str
    module: str = ""
    requires: tuple[str, ...] = ()
    ends: bool = False
    stateful: bool = True
    jobs: tuple[str, ...] = (INFER, PAIRS)
    java: bool = False
    slow: bool = False


LIBRDKAFKA = "confluent-kafka==2.16.1"
CONTENDERS = (
    Contender("tieline", "tieline_infer", jobs=(INFER,)),
    Contender("tieline-transport", "tieline_pairs", jobs=(PAIRS,)),
    Contender("aiokafka", "aiokafka_loop", ends=True, stateful=False),
    Contender("aiokafka-read-only", "aiokafka_loop", ends=True, stateful=False, jobs=(READ,)),
    Contender("kafka-python", "kafka_python_loop", ("crc32c==2.9.post0",), ends=True, stateful=False),
    Contender("confluent-kafka", "confluent_loop", (LIBRDKAFKA,), ends=True, stateful=False),
    Contender("quixstreams", "quix_app", ("quixstreams==3.28.1",)),
    Contender("bytewax", "bytewax_flow", ("bytewax==0.21.1", LIBRDKAFKA), ends=True),
    Contender("faust-table", "faust_app", slow=True),
    Contender("kafka-streams", java=True, jobs=(PAIRS,)),
)
