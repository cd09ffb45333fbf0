"""The partitioner of Kafka's Java client."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from streams.transport.partitioner import murmur2, partition_for


# From org.apache.kafka.common.utils.UtilsTest.testMurmur2, as unsigned.
@pytest.mark.parametrize(
    ("key", "java_hash"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_javas(key: bytes, java_hash: int) -> None:
    assert murmur2(key) == java_hash % 2**32


@given(st.binary(max_size=80), st.integers(1, 200))
def test_partition_is_aiokafkas(key: bytes, partitions: int) -> None:
    every = list(range(partitions))
    assert partition_for(key, partitions) == DefaultPartitioner()(key, every, every)
