"""Counts what happens, for Prometheus, over all workers.

Counters and the histogram lie in files under PROMETHEUS_MULTIPROC_DIR, one per worker, and are added
up when scraped; those of a worker that ended go on counting. Gauges are read from what the workers
share, so it does not matter which of them is scraped.
"""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

# Upper bounds in seconds: fine around the 0.5 s of the latency alert, up to the timeouts.
BUCKETS = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 1, 1.5, 2.5, 5, 10, 30,
)  # fmt: skip

REQUESTS = Counter(
    "linktree_upstream_requests",
    "Attempts at Linktree, sent or held back, by how they ended",
    ["route", "outcome"],
    registry=None,
)
DURATIONS = Histogram(
    "linktree_upstream_request_duration_seconds",
    "Time from sending an attempt to the last byte of its answer",
    ["route"],
    buckets=BUCKETS,
    registry=None,
)
PAGES = Counter(
    "linktree_profile_cache_requests",
    "Page views by where the page came from",
    ["result"],
    registry=None,
)
REFUSED = Counter(
    "linktree_refused",
    "Clicks and link changes that Linktree refused for good",
    ["what"],
    registry=None,
)
WEBHOOKS = Counter(
    "linktree_webhook_deliveries",
    "Deliveries of webhooks by what became of them",
    ["result"],
    registry=None,
)


class _Gauges:
    def __init__(self, gauges: Mapping[str, tuple[str, float | None]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        for name, (text, value) in self._gauges.items():
            if value is not None:
                yield GaugeMetricFamily(name, text, value=value)


def exposition(gauges: Mapping[str, tuple[str, float | None]]) -> bytes:
    """What a scrape is answered; help and value of each gauge, None to leave it out. Another registry
    each time: the collector wants it so."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    registry.register(_Gauges(gauges))
    return generate_latest(registry)
