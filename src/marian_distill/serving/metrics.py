"""What /metrics tells Prometheus: counts and times, never a client's address, a key or a text.

https://prometheus.io/docs/practices/naming/
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
SENTENCES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """The counters of one server.

    Args:
        waiting: how many sentences are in the queue.
    """

    def __init__(self, waiting: Callable[[], int]) -> None:
        disable_created_metrics()  # when each series began, which nobody asks for and doubles their number
        self.registry = registry = CollectorRegistry()
        prefix = "distill_zh_en_"
        labels = ("endpoint", "status")
        self.requests = Counter(f"{prefix}requests", "Requests answered", labels, registry=registry)
        self.seconds = Histogram(
            f"{prefix}request_seconds", "From request to answer", ("endpoint",), buckets=SECONDS, registry=registry
        )
        self.in_flight = Gauge(f"{prefix}requests_in_flight", "Requests being answered", registry=registry)
        self.batch = Histogram(
            f"{prefix}batch_sentences", "Sentences of a batch", buckets=SENTENCES, registry=registry
        )
        self.engine = Histogram(f"{prefix}engine_seconds", "Engine's time a batch", buckets=SECONDS, registry=registry)
        self.waited = Histogram(
            f"{prefix}queue_seconds", "Longest wait in the queue of a batch", buckets=SECONDS, registry=registry
        )
        Gauge(f"{prefix}waiting_sentences", "Sentences in the queue", registry=registry).set_function(waiting)

    def on_batch(self, sentences: int, seconds: float, waited: float) -> None:
        """Count a batch (see `Batcher`)."""
        self.batch.observe(sentences)
        self.engine.observe(seconds)
        self.waited.observe(waited)

    def on_request(self, endpoint: str, status: int, seconds: float) -> None:
        """Count an answer; the endpoint is a route, of which there is a fixed number."""
        self.requests.labels(endpoint, str(status)).inc()
        self.seconds.labels(endpoint).observe(seconds)

    def text(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self.registry)
