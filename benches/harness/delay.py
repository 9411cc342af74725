"""A line of a given round trip time: a TCP proxy that holds what passes, half of the time in each direction.

    delay.py MILLISECONDS TARGET_PORT...

Prints the port on 127.0.0.1 that leads to each target. What is sent is held from the instant it came, in order, so that many packets
may be under way at once, as on a real line. A connection waits one round trip before it is made, as its handshake would.
"""

import socket
import sys
import threading
import time
from queue import SimpleQueue


def hold(source, sink, delay):
    """Passes on what comes from `source`, each piece `delay` seconds after it came."""
    held = SimpleQueue()
    threading.Thread(target=let_go, args=(held, sink), daemon=True).start()
    piece = b" "
    while piece:
        try:
            piece = source.recv(1 << 16)
        except OSError:
            piece = b""
        held.put((time.monotonic() + delay, piece))


def let_go(held, sink):
    piece = b" "
    while piece:
        due, piece = held.get()
        time.sleep(max(0, due - time.monotonic()))
        try:
            sink.sendall(piece) if piece else sink.shutdown(socket.SHUT_WR)
        except OSError:
            return


def connect(client, port, delay):
    time.sleep(2 * delay)
    try:
        server = socket.create_connection(("127.0.0.1", port))
    except OSError:
        client.close()
        return
    for end in (client, server):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    back = threading.Thread(target=hold, args=(server, client, delay), daemon=True)
    back.start()
    hold(client, server, delay)
    back.join()


def listen(listener, port, delay):
    while True:
        client, _ = listener.accept()
        threading.Thread(target=connect, args=(client, port, delay), daemon=True).start()


def main():
    delay = float(sys.argv[1]) / 2000
    listening = []
    for port in sys.argv[2:]:
        listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        print(listener.getsockname()[1], flush=True)
        listening.append(threading.Thread(target=listen, args=(listener, int(port), delay), daemon=True))
    for thread in listening:
        thread.start()
    for thread in listening:
        thread.join()


if __name__ == "__main__":
    main()
