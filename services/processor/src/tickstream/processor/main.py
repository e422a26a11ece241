"""The processor's composition root."""

from __future__ import annotations

from typing import Final

from tickstream.core.clock import SystemClock
from tickstream.core.codec import Codecs
from tickstream.core.health import HealthServer
from tickstream.core.kafka import Kafka, retry_forever
from tickstream.core.logging import logger
from tickstream.core.metrics import new_registry
from tickstream.core.reporting import Reporter
from tickstream.core.service import Stop, run_service
from tickstream.processor import roles
from tickstream.processor.adapters.identity import place
from tickstream.processor.adapters.transactions import Transactions
from tickstream.processor.backfill import main as backfill
from tickstream.processor.figures import Figures
from tickstream.processor.pipeline import Pipeline
from tickstream.processor.settings import ProcessorSettings

_LOG = logger(__name__)
_SERVICE: Final = "processor"
_PREFERRED_PORT: Final = 8092


def main() -> int:
    """Run the processor; gives the exit code."""
    return run_service("PROCESSOR", ProcessorSettings, run)


def run(settings: ProcessorSettings, stop: Stop) -> None:
    """Backfill when that is asked for, else do what the roles ask for."""
    if settings.from_ is not None:
        backfill.run(settings, stop)
    else:
        roles.run(settings, stop, run_bars)


def run_bars(settings: ProcessorSettings, stop: Stop) -> None:
    """Make bars until told to stop or, when so set, caught up."""
    kafka, codecs, clock, registry = Kafka(settings), Codecs.from_settings(settings), SystemClock(), new_registry()
    with place(kafka.group(_SERVICE)) as held:
        transactions = Transactions(kafka, held.name)
        pipeline = Pipeline(settings, kafka, codecs, transactions, Figures(registry), clock, stop)

        def readiness() -> dict[str, str]:
            return {"bars": pipeline.waiting_for} if pipeline.waiting_for else {}

        with (
            HealthServer(settings.http_host, settings.http_port, _PREFERRED_PORT, readiness, registry) as health,
            Reporter(kafka, codecs, registry, _SERVICE, clock),
        ):
            _LOG.info("started", instance=held.name, http_port=health.port)
            retry_forever(kafka.ensure_topics, stop, pipeline.wait_for)
            pipeline.run()
        if transactions.are_over:
            held.clear()
    _LOG.info("ended")
