"""`python -m deploy.kafka --port 9092 --data DIR`: a broker in the foreground, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from deploy.kafka.broker import KafkaBroker
from deploy.kafka.jars import cache_folder
from schemas.errors import ConfigError, TransientError


def main(arguments: list[str] | None = None) -> int:
    """Run the broker; 0 after a stop, 78 when something is missing, 1 when it did not start or ended by itself."""
    parser = argparse.ArgumentParser(prog="python -m deploy.kafka", description=__doc__)
    parser.add_argument("--port", type=int, default=9092, help="port on loopback (default: 9092)")
    parser.add_argument("--data", type=Path, default=cache_folder() / "data", help="folder of the broker's data")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    broker = KafkaBroker(chosen.data, chosen.port)
    try:
        print("Apache Kafka is starting (the first time, its jars are fetched)", flush=True)
        broker.start()
        print(f"Apache Kafka at {broker.address}, data in {broker.data}, log in {broker.log_file}", flush=True)
        return 1 if broker.wait() else 0
    except KeyboardInterrupt:
        return 0
    except (ConfigError, TransientError) as error:
        print(error, file=sys.stderr)
        return getattr(error, "exit_code", 1)
    finally:
        broker.stop()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
