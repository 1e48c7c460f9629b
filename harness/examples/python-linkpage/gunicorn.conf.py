"""Two workers of one service; what they share lies in DATA_DIR."""

import gc
import os
import shutil
from pathlib import Path

from linkpage import admission, outbox, shelf
from linkpage.config import read_config
from linkpage.database import Database

service = read_config()
metrics_dir = service.data_dir / "metrics"
# Read by prometheus_client at its import, which is why nothing above may import it.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics_dir)

bind = f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or 8080}"
workers = 2
worker_class = "linkpage.worker.Worker"
wsgi_app = "linkpage.app:create_app()"
# Whoever sent SIGTERM will not wait for ever. What is cut off then is on disk, or a visitor's.
graceful_timeout = 4
keepalive = 75
# Its lines would name visitors' addresses.
accesslog = None
loglevel = "warning"
control_socket_disable = True


def on_starting(server):
    """Before the first worker: nothing of the last process may count as alive."""
    shutil.rmtree(metrics_dir, ignore_errors=True)
    Path(metrics_dir).mkdir(parents=True)
    # Made by one process alone, as two that make the same file at once hinder each other.
    for path in (service.click_queue, service.campaign_queue):
        Database(path, outbox.SCHEMA, durable=True).close()
    # Imported once for both workers. preload_app would do so before the folder of the metrics is there.
    import linkpage.app  # noqa: F401
    from linkpage.service import SHARED_SCHEMA

    state = Database(service.shared_state, SHARED_SCHEMA, durable=False)
    shelf.Shelf(state, service.capacity).forget_flights()
    limits, within = service.limits, service.probe_within
    admission.Admission(state, limits, probe_within=within).begin()
    state.close()
    # What is there now stays, so that no collection in a worker need look at it, or copy it.
    gc.collect()
    gc.freeze()


def child_exit(server, worker):
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)
