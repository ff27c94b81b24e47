"""A recording proxy between a client and a daemon's Unix socket.

It keeps each request as the client wrote it: method, target, head in order and spelling, and the
body when it is JSON (of anything else the length and the SHA-256). It is a test tool: it believes
what it reads, and judges nothing.
"""

import hashlib
import json
import os
import re
import socket
import socketserver
import threading


class Recorder:
    """The requests seen so far, and the name of the command that is running."""

    def __init__(self, upstream, spoof=None):
        self.upstream = upstream
        # (told, real): clients are told the first API version, the daemon gets the second.
        self.spoof = spoof
        self.name = ""
        self.entries = []
        self.lock = threading.Lock()

    def add(self, entry):
        with self.lock:
            entry["name"] = self.name
            self.entries.append(entry)
            return entry

    def to_client(self, data):
        if self.spoof:
            told, real = self.spoof
            data = data.replace(f"Api-Version: {real}".encode(), f"Api-Version: {told}".encode())
            data = data.replace(f'"ApiVersion":"{real}"'.encode(), f'"ApiVersion":"{told}"'.encode())
        return data

    def to_daemon(self, head):
        if self.spoof:
            told, real = self.spoof
            head = re.sub(rb" /v" + re.escape(told.encode()) + rb"/", b" /v" + real.encode() + b"/", head, count=1)
        return head


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        recorder = self.server.recorder
        up = socket.socket(socket.AF_UNIX)
        up.connect(recorder.upstream)
        waiting = []
        back = threading.Thread(target=self.answers, args=(up, recorder, waiting), daemon=True)
        back.start()
        try:
            self.requests(up, recorder, waiting)
        except (ConnectionError, BrokenPipeError, EOFError):
            pass
        finally:
            try:
                up.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            back.join()
            up.close()

    def answers(self, up, recorder, waiting):
        try:
            while data := up.recv(65536):
                if data.startswith(b"HTTP/1.1 ") and waiting:
                    waiting.pop(0)["status"] = int(data[9:12])
                self.request.sendall(recorder.to_client(data))
        except OSError:
            pass
        finally:
            try:
                self.request.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def requests(self, up, recorder, waiting):
        reader = self.request.makefile("rb", buffering=0)
        self.buffer = b""
        while True:
            while b"\r\n\r\n" not in self.buffer:
                if not self.fill(reader):
                    return
            head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            lines = head.decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            headers = [line.split(": ", 1) for line in lines[1:]]
            entry = recorder.add({"method": method, "target": target, "headers": headers})
            waiting.append(entry)
            up.sendall(recorder.to_daemon(head) + b"\r\n\r\n")
            lower = {name.lower(): value for name, value in headers}
            body = Body("json" in lower.get("content-type", ""))
            if "chunked" in lower.get("transfer-encoding", ""):
                self.chunks(reader, up, body)
            else:
                self.exactly(reader, up, body, int(lower.get("content-length", 0)))
            entry.update(body.record())
            if "upgrade" in lower:
                while self.buffer or self.fill(reader):
                    up.sendall(self.buffer)
                    self.buffer = b""
                return

    def fill(self, reader):
        data = reader.read(65536)
        self.buffer += data or b""
        return bool(data)

    def exactly(self, reader, up, body, length):
        while length:
            if not self.buffer and not self.fill(reader):
                raise EOFError
            piece, self.buffer = self.buffer[:length], self.buffer[length:]
            length -= len(piece)
            body.take(piece)
            up.sendall(piece)

    def line(self, reader, up):
        while b"\r\n" not in self.buffer:
            if not self.fill(reader):
                raise EOFError
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        up.sendall(line + b"\r\n")
        return line

    def chunks(self, reader, up, body):
        while size := int(self.line(reader, up).split(b";")[0], 16):
            self.exactly(reader, up, body, size)
            self.line(reader, up)
        while self.line(reader, up):
            pass


class Body:
    """Kept when it is JSON; of all else only length and digest."""

    def __init__(self, keep):
        self.keep = keep
        self.raw = b""
        self.length = 0
        self.digest = hashlib.sha256()

    def take(self, piece):
        self.length += len(piece)
        self.digest.update(piece)
        if self.keep:
            self.raw += piece

    def record(self):
        if not self.length:
            return {}
        # bollard sends a tar as application/json: what the type says is not what the body is.
        try:
            if self.keep and json.loads(self.raw) is not None:
                return {"raw": self.raw.decode()}
        except ValueError:
            pass
        return {"opaque": {"length": self.length, "sha256": self.digest.hexdigest()}}


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path, recorder):
        if os.path.exists(path):
            os.unlink(path)
        self.recorder = recorder
        super().__init__(path, Handler)
