"""What the server counts, for Prometheus. No label carries a person, a token or a probe."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST

_registry = CollectorRegistry()
ProcessCollector(registry=_registry)

REQUESTS = Counter(
    "likeness_http_requests",
    "Requests answered, by path and status.",
    ["path", "status"],
    registry=_registry,
)
SECONDS = Histogram(
    "likeness_http_request_seconds",
    "Wall time of requests, by path.",
    ["path"],
    registry=_registry,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
REFERENCES = Gauge(
    "likeness_references",
    "Picture hashes and templates held in memory for the search.",
    registry=_registry,
)
UNREADABLE = Gauge(
    "likeness_references_unreadable",
    "Picture hashes and templates that could not be opened: damaged, or sealed with other keys.",
    registry=_registry,
)
TEMPLATES = Gauge(
    "likeness_templates", "Templates of faces and voices held in memory.", registry=_registry
)
CALIBRATION = Gauge(
    "likeness_calibration",
    "1 if an encoder is calibrated on the operator's people, 0 if as shipped; `data`: on whom.",
    ["encoder", "data"],
    registry=_registry,
)
READY = Gauge("likeness_ready", "1 while checks can be answered.", registry=_registry)


def exposition() -> bytes:
    """Everything counted so far, in Prometheus' text format."""
    return generate_latest(_registry)
