"""A plain TCP proxy in front of the API server, whose connections a test can cut or make slow."""
import contextlib
import socket
import threading
import time


class TcpProxy:
    def __init__(self, port, address="127.0.0.1"):
        self.port_behind = port
        six = ":" in address
        self.listener = socket.create_server((address, 0), family=socket.AF_INET6 if six else socket.AF_INET)
        self.url = f"https://{'[' + address + ']' if six else address}:{self.listener.getsockname()[1]}"
        self.lock, self.open, self.refuses = threading.Lock(), set(), False
        self.refused = 0   # connections
        self.delay = 0.0   # seconds, on each way
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                client, _ = self.listener.accept()
                if self.refuses:
                    client.close()
                    self.refused += 1
                    continue
                server = socket.create_connection(("127.0.0.1", self.port_behind))
                with self.lock:
                    self.open |= {client, server}
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    def _copy(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)  # the length of the way, not a wait for anything
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """All connections that are open now."""
        with self.lock:
            gone, self.open = self.open, set()
        for end in gone:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self):
        self.listener.close()
        self.cut()


@contextlib.contextmanager
def proxy_to(port, address="127.0.0.1"):
    proxy = TcpProxy(port, address)
    try:
        yield proxy
    finally:
        proxy.close()
