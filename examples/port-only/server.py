"""A program that knows nothing but a port, given as its argument."""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(1)
            self.answer(b"done")
        else:
            found = {
                "app": "port-only",
                "worker": os.environ.get("MONOHULL_WORKER"),
                "protocol": self.headers.get("X-Forwarded-Proto"),
            }
            self.answer(json.dumps(found).encode())

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # nginx writes the access log


class Server(ThreadingHTTPServer):
    daemon_threads = False  # closing the server waits for the requests


server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
# shutdown() waits for serve_forever, which this thread runs
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
server.server_close()
