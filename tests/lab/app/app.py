"""One of Opareta's two products, as far as an operator sees it: an HTTP service on a PostgreSQL and a Redis.

It is called argus or hermes by its environment. A write is acknowledged only after its row is committed and counted in
Redis, and nothing makes an id unique, so that a lost write and a doubled write can both be seen in the table.

A request names the product it is meant for (nginx sets X-Opareta-Service). nginx keeps the addresses that it resolved at
its start, and a recreated container may have been given another product's: such a request is refused with 421, because
an order in the wrong database would look like a lost one.
"""

import json
import os
import queue
import select
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import redis

SERVICE = os.environ["SERVICE"]
INSTANCE = os.environ.get("INSTANCE", socket.gethostname())
VERSION = os.environ.get("VERSION", "unknown")
ALWAYS_UNHEALTHY = os.environ.get("HEALTH") == "bad"
DATABASE_URL = os.environ["DATABASE_URL"]
REDIS_URL = os.environ["REDIS_URL"]
POOL_SIZE = 8
CHECK_SECONDS = 1.5  # a part that has not answered by then counts as down
COUNTER = f"{SERVICE}:orders"

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    number bigserial PRIMARY KEY,
    id text NOT NULL,
    instance text NOT NULL,
    created timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS orders_id ON orders (id text_pattern_ops);
"""


def log(message):
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {INSTANCE} {message}", flush=True)


class Pool:
    """At most POOL_SIZE connections; one that failed is closed, and the next request opens another."""

    def __init__(self):
        self.free = queue.LifoQueue()
        for _ in range(POOL_SIZE):
            self.free.put(None)

    @contextmanager
    def connection(self):
        conn = self.free.get(timeout=3)
        try:
            if conn is not None and not conn.closed and select.select([conn.fileno()], [], [], 0)[0]:
                conn.close()  # a server that speaks unasked has said goodbye
            if conn is None or conn.closed:
                conn = psycopg.connect(DATABASE_URL, connect_timeout=2, autocommit=True)
            yield conn
        except BaseException:
            if conn is not None:
                conn.close()
            conn = None
            raise
        finally:
            self.free.put(conn)


class Part:
    """Something the service depends on. Asked by one thread at a time, so that a hanging part hangs nothing else."""

    def __init__(self, name, ask):
        self.name = name
        self.ask = ask
        self.lock = threading.Lock()
        self.asking = None

    def state(self):
        with self.lock:
            if self.asking is None or self.asking["done"].is_set():
                self.asking = {"done": threading.Event(), "error": None, "since": time.monotonic()}
                threading.Thread(target=self._run, args=(self.asking,), daemon=True).start()
            asked = self.asking
        left = asked["since"] + CHECK_SECONDS - time.monotonic()
        if not asked["done"].wait(max(left, 0)):
            return f"no answer within {CHECK_SECONDS} s"
        return asked["error"] or "ok"

    def _run(self, asked):
        try:
            self.ask()
        except Exception as error:  # whatever it is, it is the reason
            asked["error"] = " ".join(str(error).split()) or type(error).__name__
        asked["done"].set()


class Product:
    def __init__(self):
        self.pool = Pool()
        self.cache = redis.Redis.from_url(REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
        self.schema_ready = False
        self.schema_lock = threading.Lock()
        self.database = Part("database", self._ask_database)
        self.redis = Part("cache", self.cache.ping)
        self.requests = {}
        self.requests_lock = threading.Lock()

    def _ask_database(self):
        with self.connection() as conn:
            conn.execute("SELECT 1")

    @contextmanager
    def connection(self):
        with self.pool.connection() as conn:
            if not self.schema_ready:
                self._make_schema(conn)
            try:
                yield conn
            except psycopg.errors.UndefinedTable:  # the database was replaced under us
                self.schema_ready = False
                raise

    def _make_schema(self, conn):
        with self.schema_lock, conn.transaction():
            conn.execute("SELECT pg_advisory_xact_lock(7001)")  # the other instance starts at the same time
            conn.execute(SCHEMA)
            self.schema_ready = True

    def place_order(self, order_id):
        with self.connection() as conn:
            conn.execute("INSERT INTO orders (id, instance) VALUES (%s, %s)", (order_id, INSTANCE))
        return self.cache.incr(COUNTER)

    def count_orders(self):
        with self.connection() as conn:
            return conn.execute("SELECT count(*), count(DISTINCT id) FROM orders").fetchone()

    def health(self):
        parts = {"database": self.database.state(), "cache": self.redis.state()}
        healthy = all(state == "ok" for state in parts.values()) and not ALWAYS_UNHEALTHY
        answer = {"status": "ok" if healthy else "unhealthy", "service": SERVICE, "instance": INSTANCE, "version": VERSION}
        answer.update(parts)
        if ALWAYS_UNHEALTHY:
            answer["reason"] = f"{VERSION} cannot read its price list"
        return healthy, answer

    def saw(self, status):
        with self.requests_lock:
            self.requests[status] = self.requests.get(status, 0) + 1

    def metrics(self):
        healthy, answer = self.health()
        labels = f'name="{INSTANCE}"'  # which service it is, the scraper knows
        lines = [
            "# TYPE opareta_build_info gauge",
            f'opareta_build_info{{{labels},version="{VERSION}"}} 1',
            "# TYPE opareta_healthy gauge",
            f"opareta_healthy{{{labels}}} {int(healthy)}",
            "# TYPE opareta_part_up gauge",
        ]
        for part in ("database", "cache"):
            lines.append(f'opareta_part_up{{{labels},part="{part}"}} {int(answer[part] == "ok")}')
        lines.append("# TYPE opareta_requests_total counter")
        with self.requests_lock:
            for status, count in sorted(self.requests.items()):
                lines.append(f'opareta_requests_total{{{labels},status="{status}"}} {count}')
        return "\n".join(lines) + "\n"


class Request(BaseHTTPRequestHandler):
    product: Product
    timeout = 30

    def do_GET(self):
        if self._is_for_another_product():
            return
        if self.path == "/api/health":
            healthy, answer = self.product.health()
            self._answer(200 if healthy else 503, answer)
        elif self.path == "/api/orders/count":
            self._try(lambda: (200, dict(zip(("rows", "orders"), self.product.count_orders()))))
        elif self.path == "/metrics":
            self._send(200, self.product.metrics().encode(), "text/plain; version=0.0.4")
        else:
            self._answer(404, {"error": "no such path"})

    def do_POST(self):
        if self._is_for_another_product():
            return
        if self.path != "/api/orders":
            self._answer(404, {"error": "no such path"})
            return
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            order_id = body["id"]
            if not isinstance(order_id, str) or not order_id:
                raise ValueError("`id` is not a name")
        except (ValueError, KeyError, TypeError) as error:
            self._answer(400, {"error": f"not an order: {error}"})
            return
        self._try(lambda: (201, {"id": order_id, "instance": INSTANCE, "count": self.product.place_order(order_id)}))

    def _is_for_another_product(self):
        meant = self.headers.get("X-Opareta-Service", SERVICE)
        if meant == SERVICE:
            return False
        self._answer(421, {"error": f"this is {SERVICE}, not {meant}"})
        return True

    def _try(self, work):
        try:
            status, answer = work()
        except Exception as error:
            status, answer = 503, {"error": " ".join(str(error).split()) or type(error).__name__}
            log(f"{self.command} {self.path}: {answer['error']}")
        self._answer(status, answer)

    def _answer(self, status, answer):
        self._send(status, json.dumps(answer).encode() + b"\n", "application/json")

    def _send(self, status, body, kind):
        self.product.saw(status)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # nginx has the access log


class Server(ThreadingHTTPServer):
    daemon_threads = False  # a request that was begun is finished before the process ends
    block_on_close = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        log(f"request from {client_address[0]} broken: {sys.exc_info()[1]}")


def main():
    Request.product = Product()
    server = Server(("0.0.0.0", int(os.environ.get("PORT", "3000"))), Request)

    def stop(number, _):
        log(f"{signal.Signals(number).name}: finishing what was begun")
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log(f"{SERVICE} {VERSION} listens on {server.server_address[1]}")
    server.serve_forever(poll_interval=0.1)
    server.socket.setblocking(False)
    while True:  # what is already in the queue was accepted by the kernel, and its client counts on us
        try:
            server.process_request(*server.get_request())
        except BlockingIOError:
            break
    server.server_close()  # waits for the threads
    log("stopped")


if __name__ == "__main__":
    main()
