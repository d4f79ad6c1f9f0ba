import os
import socket

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def index():
    forwarded = {name: value for name, value in request.headers if name.startswith(("X-Forwarded-", "X-Real-"))}
    return {"host": socket.gethostname(), "port": os.environ["PORT"], "forwarded": forwarded}


@app.get("/health")
def health():
    return "ok"
