"""An HTTP proxy for CONNECT, on loopback, that leads each tunnel to one port, whatever host it is asked for."""
import contextlib
import socket
import threading


class ConnectProxy:
    def __init__(self, port_behind):
        self.port_behind = port_behind
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.requests = []   # heads, as they came
        self.answer = b"HTTP/1.1 200 Connection established\r\n\r\n"
        self.answers = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError), client:
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(4096)
                if not data:
                    return
                head += data
            self.requests.append(head.decode())
            if not self.answers:
                client.recv(1)
                return
            client.sendall(self.answer)
            if b" 200 " not in self.answer:
                return
            with socket.create_connection(("127.0.0.1", self.port_behind)) as server:
                back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
                back.start()
                self._copy(client, server)
                back.join()

    @staticmethod
    def _copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def connect_proxy(port_behind):
    proxy = ConnectProxy(port_behind)
    try:
        yield proxy
    finally:
        proxy.listener.close()
