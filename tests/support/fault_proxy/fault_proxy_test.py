#!/usr/bin/env python3
"""Holds fault_proxy.py against a small HTTPS server; needs no cluster."""

import base64
import http.client
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import fault_proxy  # noqa: E402

CLAIMS = "/apis/sync.konductor.io/v1/namespaces/a/permits"


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []
    release_second_line = threading.Event()

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.command, self.path, body, self.headers.get("Authorization")))
        if "watch" in self.path:
            return self.stream()
        text = json.dumps({"path": self.path, "body": body.decode()}).encode()
        self.send_response(201 if self.command == "POST" else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def stream(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"6\r\nfirst\n\r\n")
        self.release_second_line.wait(20)
        self.wfile.write(b"7\r\nsecond\n\r\n0\r\n\r\n")

    do_GET = do_POST = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


class FaultProxy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        root = pathlib.Path(cls.folder.name)
        fault_proxy.make_certificates(root)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(root / "server.crt", root / "server.key")
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        cls.server.socket = context.wrap_socket(cls.server.socket, server_side=True)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        ca = base64.b64encode((root / "ca.crt").read_bytes()).decode()
        cls.kubeconfig = root / "admin.conf"
        cls.kubeconfig.write_text(f"""apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: {ca}
    server: https://127.0.0.1:{cls.server.server_port}
  name: local
contexts:
- context: {{}}
  name: other
- context:
    cluster: local
    user: admin
  name: local
current-context: local
users:
- name: admin
  user:
    token: admin-token
""")

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()
        cls.folder.cleanup()

    def setUp(self):
        Server.seen.clear()
        Server.release_second_line.clear()
        self.out = tempfile.TemporaryDirectory()
        self.addCleanup(self.out.cleanup)

    def start(self, *options):
        process = subprocess.Popen([sys.executable, HERE / "fault_proxy.py", "--kubeconfig", self.kubeconfig,
                                    "--out", self.out.name, *options], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, process)
        ready = pathlib.Path(self.out.name) / "kubeconfig"
        until = time.monotonic() + 30
        while not ready.exists():
            self.assertIsNone(process.poll(), "the proxy ended")
            self.assertLess(time.monotonic(), until, "the proxy does not come up")
            time.sleep(0.02)
        cluster = json.loads(ready.read_text())["clusters"][0]["cluster"]
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.port = int(cluster["server"].rsplit(":", 1)[1])
        self.tls = ssl.create_default_context(cadata=ca)
        self.process = process
        return process

    @staticmethod
    def stop(process):
        process.terminate()
        process.wait(10)
        process.stdout.close()

    def connect(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, timeout=20)
        self.addCleanup(connection.close)
        return connection

    def send(self, connection, method, path, body=None):
        connection.request(method, path, body, {"Authorization": "Bearer of-the-client"})
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("Retry-After")

    def logged(self):
        return json.loads(self.process.stdout.readline())

    def test_forwards_on_one_connection_and_counts_only_writes(self):
        self.start()
        connection = self.connect()
        self.assertEqual(self.send(connection, "GET", CLAIMS)[0], 200)
        self.assertEqual(self.send(connection, "POST", "/api/v1/namespaces/a/events", "{}")[0], 201)
        self.assertEqual(self.send(connection, "PATCH", "/apis/coordination.k8s.io/v1/namespaces/a/leases/x", "{}")[0], 200)
        status, body, _ = self.send(connection, "PATCH", CLAIMS + "/q/status?x=1", '{"a":1}')
        self.assertEqual((status, json.loads(body)["body"]), (200, '{"a":1}'))
        self.assertEqual(self.logged(), {"n": 1, "method": "PATCH", "path": CLAIMS + "/q/status", "status": 200})
        self.assertEqual({entry[3] for entry in Server.seen}, {"Bearer admin-token"})

    def test_drops_a_request_before_the_server_sees_it(self):
        self.start("--drop-request", "2")
        self.send(self.connect(), "POST", CLAIMS, "{}")
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.send(self.connect(), "DELETE", CLAIMS + "/q")
        self.assertEqual([entry[0] for entry in Server.seen], ["POST"])
        self.assertEqual(self.send(self.connect(), "DELETE", CLAIMS + "/q")[0], 200)
        self.assertEqual([self.logged()["n"], self.logged()["fault"], self.logged()["n"]], [1, "request dropped", 3])

    def test_drops_an_answer_after_the_server_executed_it_and_kills(self):
        victim = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        self.addCleanup(victim.kill)
        pid_file = pathlib.Path(self.out.name) / "pid"
        pid_file.write_text(str(victim.pid))
        self.start("--drop-response", "1", "--kill-pid-file", str(pid_file))
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.send(self.connect(), "POST", CLAIMS, '{"x":2}')
        self.assertEqual(Server.seen[0][:3], ("POST", CLAIMS, b'{"x":2}'))
        self.assertEqual(victim.wait(10), -9)
        self.assertEqual(self.logged(), {"n": 1, "method": "POST", "path": CLAIMS, "status": 201, "fault": "response dropped"})
        self.assertEqual(self.send(self.connect(), "GET", CLAIMS)[0], 200)

    def test_answers_429_by_itself(self):
        self.start("--status", "1:429:3")
        connection = self.connect()
        status, body, retry_after = self.send(connection, "POST", CLAIMS, "{}")
        self.assertEqual((status, json.loads(body)["reason"], retry_after), (429, "TooManyRequests", "3"))
        self.assertEqual(Server.seen, [])
        self.assertEqual(self.send(connection, "POST", CLAIMS, "{}")[0], 201)

    def test_holds_a_write_back(self):
        self.start("--delay", "1:0.4")
        began = time.monotonic()
        self.send(self.connect(), "POST", CLAIMS, "{}")
        self.assertGreaterEqual(time.monotonic() - began, 0.4)

    def test_cuts_every_connection(self):
        self.start("--cut", "1")
        other = self.connect()
        self.assertEqual(self.send(other, "GET", CLAIMS)[0], 200)
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.send(self.connect(), "POST", CLAIMS, "{}")
        other.sock.settimeout(10)
        try:
            self.assertEqual(other.sock.recv(1), b"")
        except OSError as error:
            self.assertNotIsInstance(error, TimeoutError)
        self.assertEqual(self.logged()["fault"], "cut")

    def test_delivers_a_write_after_its_client_has_gone(self):
        self.start("--late", "1:0.3")
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.send(self.connect(), "POST", CLAIMS, '{"x":3}')
        self.assertEqual(Server.seen, [])
        until = time.monotonic() + 20
        while not Server.seen and time.monotonic() < until:
            time.sleep(0.01)
        self.assertEqual(Server.seen[0][:3], ("POST", CLAIMS, b'{"x":3}'))

    def test_passes_a_watch_through_as_it_comes(self):
        self.start()
        connection = self.connect()
        connection.request("GET", CLAIMS + "?watch=true")
        response = connection.getresponse()
        # The server sends the second line only after the first was read here.
        self.assertEqual(response.readline(), b"first\n")
        Server.release_second_line.set()
        self.assertEqual(response.readline(), b"second\n")
        self.assertEqual(response.read(), b"")


if __name__ == "__main__":
    unittest.main()
