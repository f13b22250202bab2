#!/usr/bin/env python3
"""A TLS proxy between a client and a Kubernetes API server that fails at chosen writes.

    fault_proxy.py --kubeconfig ADMIN.conf --out DIR [--drop-request K | --drop-response K] [--kill-pid-file FILE] ...

It listens on 127.0.0.1 at a free port with a certificate of its own throwaway CA, writes DIR/kubeconfig for the client,
and forwards everything to the server of ADMIN.conf with that file's client certificate or token. Watches pass through
unbuffered. Writes (POST, PUT, PATCH, DELETE) are counted from 1, and each is printed on stdout as one line of JSON.
Python's standard library, the openssl program, and no more.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from kubeconfig import read_kubeconfig, write_kubeconfig  # noqa: E402

WRITES = {"POST", "PUT", "PATCH", "DELETE"}
EVENTS = re.compile(r"/(namespaces/[^/]+/)?events(/|$)")
LEASES = re.compile(r"^/apis/coordination\.k8s\.io/")
HOP_HEADERS = {b"connection", b"keep-alive", b"proxy-connection", b"authorization", b"host"}
BODY_LIMIT = 64 << 20


class Cut(Exception):
    """The connection to the client ends here, without an answer."""


@dataclasses.dataclass
class Message:
    start: bytes
    headers: list
    body: bytes = b""

    def header(self, name):
        for key, value in self.headers:
            if key.lower() == name:
                return value.strip()
        return b""

    def head(self):
        lines = [self.start] + [key + b":" + value for key, value in self.headers]
        return b"\r\n".join(lines) + b"\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Fault:
    """What becomes of one request."""

    drop_request: bool = False
    drop_response: bool = False
    status: tuple = None  # (status, Retry-After in seconds): answered by the proxy itself
    delay: float = 0
    cut: bool = False  # forwarded, and every connection is cut before an answer comes
    late: float = 0    # forwarded only this many seconds after its connection was cut


@dataclasses.dataclass
class Faults:
    """What happens at which write. A write counts once, also where the client sends it again."""

    drop_request: set
    drop_response: set
    statuses: dict  # write number -> (status, Retry-After in seconds)
    delays: dict  # write number -> seconds; 0: every write
    kill_pid_file: str
    cut: set = dataclasses.field(default_factory=set)
    late: dict = dataclasses.field(default_factory=dict)  # write number -> seconds

    def at(self, number):
        if not number:
            return Fault()
        return Fault(number in self.drop_request, number in self.drop_response, self.statuses.get(number),
                     self.delays.get(number, self.delays.get(0, 0)), number in self.cut, self.late.get(number, 0))

    def kill(self):
        """Ends the process that the file names as a crash would, so that it sees nothing of what follows."""
        if not self.kill_pid_file:
            return
        try:
            os.kill(int(pathlib.Path(self.kill_pid_file).read_text()), signal.SIGKILL)
        except (OSError, ValueError) as error:
            print(f"fault_proxy: {self.kill_pid_file}: {error}", file=sys.stderr)


def counts(method, path, args):
    if method not in WRITES:
        return False
    if EVENTS.search(path) and not args.count_events:
        return False
    return args.count_leases or not LEASES.match(path)


async def read_message(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head[:-4].split(b"\r\n")
    return Message(lines[0], [line.split(b":", 1) for line in lines[1:]])


async def body_parts(reader, message, bodiless=False):
    """The body as it is on the wire, chunk headers included, as it comes."""
    if bodiless:
        return
    if message.header(b"transfer-encoding").lower() == b"chunked":
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            yield line + await reader.readexactly(size + 2)
            if size == 0:
                return
    length = int(message.header(b"content-length") or -1)
    if length < 0 and not message.start.startswith(b"HTTP/"):
        length = 0  # a request without a length has no body; an answer without one ends with the connection
    while length != 0:
        part = await reader.read(65536 if length < 0 else min(length, 65536))
        if not part:
            if length > 0:
                raise asyncio.IncompleteReadError(b"", length)
            return
        if length > 0:
            length -= len(part)
        yield part


class Proxy:
    def __init__(self, args, faults, upstream):
        self.args = args
        self.faults = faults
        self.upstream = upstream
        self.writes = 0
        self.connections = set()
        self.deliveries = set()

    def fault_of(self, number, method, path):
        """What becomes of this request; number: of the write, or 0."""
        return self.faults.at(number)

    def passes(self, part):
        """A part of an answer that goes to the client."""

    def log(self, number, method, path, status, fault=None):
        line = {"n": number, "method": method, "path": path, "status": status}
        if fault:
            line["fault"] = fault
        print(json.dumps(line), flush=True)

    async def serve(self, reader, writer):
        up = None
        self.connections.add(writer)
        gone = asyncio.create_task(self.follow(reader, asyncio.current_task()))
        try:
            while True:
                request = await read_message(reader)
                request.body = b"".join([part async for part in body_parts(reader, request)])
                if len(request.body) > BODY_LIMIT:
                    raise Cut
                if up is None:
                    up = await asyncio.open_connection(self.upstream.host, self.upstream.port, ssl=self.upstream.tls)
                if not await self.exchange(request, writer, up):
                    return
        except (Cut, OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            pass  # by follow(), or at the end of the proxy
        finally:
            gone.cancel()
            self.connections.discard(writer)
            # A cut is abrupt, as a crash of the network is: no TLS close, no half-written answer.
            writer.transport.abort()
            if up is not None:
                up[1].transport.abort()

    async def follow(self, reader, task):
        """Ends a watch whose client has gone, instead of when the server next has something to say."""
        while not reader.at_eof():
            await asyncio.sleep(0.5)
        task.cancel()

    async def exchange(self, request, writer, up):
        """One request and its answer; False where the connection cannot be used again."""
        method, target = request.start.decode().split(" ")[:2]
        path = urllib.parse.urlsplit(target).path
        number = 0
        if counts(method, path, self.args):
            self.writes += 1
            number = self.writes
        fault = self.fault_of(number, method, path)
        await asyncio.sleep(fault.delay)
        if fault.status:
            status, retry_after = fault.status
            self.log(number, method, path, status, "injected")
            writer.write(refusal(status, retry_after))
            await writer.drain()
            return True
        if fault.drop_request:
            self.faults.kill()
            self.log(number, method, path, 0, "request dropped")
            raise Cut
        if fault.late:
            self.faults.kill()
            task = asyncio.create_task(self.deliver(request, fault.late))
            self.deliveries.add(task)
            task.add_done_callback(self.deliveries.discard)
            self.log(number, method, path, 0, "delivered late")
            raise Cut
        if fault.cut:
            await self.send(request, up)
            self.faults.kill()
            self.log(number, method, path, 0, "cut")
            self.cut()
            raise Cut
        answer = await self.forward(request, up)
        status = int(answer.start.split(b" ")[1])
        bodiless = method == "HEAD" or status in (204, 304) or status < 200
        if fault.drop_response:
            # Read to its end first: then the server has certainly executed it.
            async for _ in body_parts(up[0], answer, bodiless):
                pass
            self.faults.kill()
            self.log(number, method, path, status, "response dropped")
            raise Cut
        writer.write(answer.head())
        async for part in body_parts(up[0], answer, bodiless):
            self.passes(part)
            writer.write(part)
            await writer.drain()
        await writer.drain()
        if number:
            self.log(number, method, path, status)
        known_end = answer.header(b"content-length") or answer.header(b"transfer-encoding") or bodiless
        return bool(known_end) and answer.header(b"connection").lower() != b"close"

    def cut(self):
        """Ends every connection at once, as a crash of the network does."""
        for writer in list(self.connections):
            writer.transport.abort()

    async def deliver(self, request, seconds):
        """What was on its way when its connection broke."""
        await asyncio.sleep(seconds)
        try:
            up = await asyncio.open_connection(self.upstream.host, self.upstream.port, ssl=self.upstream.tls)
            await self.forward(request, up)
            up[1].transport.abort()
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError) as error:
            print(f"fault_proxy: not delivered: {error}", file=sys.stderr)

    async def forward(self, request, up):
        await self.send(request, up)
        return await read_message(up[0])

    async def send(self, request, up):
        headers = [pair for pair in request.headers if pair[0].lower() not in HOP_HEADERS]
        headers.append([b"Host", f" {self.upstream.host}:{self.upstream.port}".encode()])
        if self.upstream.token:
            headers.append([b"Authorization", f" Bearer {self.upstream.token}".encode()])
        up[1].write(Message(request.start, headers).head() + request.body)
        await up[1].drain()


def refusal(status, retry_after):
    reason = "TooManyRequests" if status == 429 else "ServiceUnavailable"
    body = json.dumps({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                       "message": "refused by the fault proxy", "reason": reason, "code": status}).encode()
    head = f"HTTP/1.1 {status} Injected\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    if retry_after:
        head += f"Retry-After: {retry_after}\r\n"
    return head.encode() + b"\r\n" + body


def make_certificates(folder):
    """A throwaway CA, and a certificate of it for 127.0.0.1."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=fault-proxy-ca",
            "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "server.ext", "-out", "server.crt")


def parse_status(text):
    words = text.split(":")
    return int(words[0]), (int(words[1]), int(words[2]) if len(words) > 2 else 0)


def parse_delay(text):
    number, seconds = text.split(":")
    return int(number), float(seconds)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description="A TLS proxy to a Kubernetes API server that fails at chosen writes.")
    parser.add_argument("--kubeconfig", required=True, help="of the real server, with a client certificate or a token")
    parser.add_argument("--out", required=True, help="folder for certificates and the client's kubeconfig")
    parser.add_argument("--drop-request", type=int, action="append", default=[], metavar="K",
                        help="write K is not forwarded, and its connection is cut")
    parser.add_argument("--drop-response", type=int, action="append", default=[], metavar="K",
                        help="write K is executed, its answer swallowed, and its connection cut")
    parser.add_argument("--kill-pid-file", default="", metavar="FILE",
                        help="at each dropped write, SIGKILL to the process whose number stands in FILE, before the cut")
    parser.add_argument("--status", type=parse_status, action="append", default=[], metavar="K:CODE[:RETRY_AFTER]",
                        help="write K is answered by the proxy itself")
    parser.add_argument("--delay", type=parse_delay, action="append", default=[], metavar="K:SECONDS",
                        help="write K is held back before anything else; K = 0: each write")
    parser.add_argument("--cut", type=int, action="append", default=[], metavar="K",
                        help="write K is forwarded, and every connection is cut before its answer comes")
    parser.add_argument("--late", type=parse_delay, action="append", default=[], metavar="K:SECONDS",
                        help="the connection of write K is cut, and it is forwarded that much later")
    parser.add_argument("--count-events", action="store_true", help="count writes of Events too")
    parser.add_argument("--count-leases", action="store_true", help="count writes to coordination.k8s.io too")
    return parser.parse_args(arguments)


async def listen(args, kind=Proxy):
    """The proxy (of that kind) and its server, in this event loop. Its faults may be changed and its count be set back between writes."""
    folder = pathlib.Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    make_certificates(folder)
    faults = Faults(set(args.drop_request), set(args.drop_response), dict(args.status), dict(args.delay),
                    args.kill_pid_file, set(args.cut), dict(args.late))
    proxy = kind(args, faults, read_kubeconfig(args.kubeconfig, folder))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.crt", folder / "server.key")
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=tls)
    write_kubeconfig(folder, server.sockets[0].getsockname()[1])
    return proxy, server


async def end(proxy, server):
    """Ends all of it: what listen() began runs in no task but these."""
    server.close()
    proxy.cut()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def run(args):
    proxy, server = await listen(args)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await end(proxy, server)


if __name__ == "__main__":
    asyncio.run(run(parse_arguments(sys.argv[1:])))
