import os
import time

from flask import Flask, jsonify, request
from werkzeug.middleware.proxy_fix import ProxyFix

app = Flask(__name__)
app.wsgi_app = ProxyFix(app.wsgi_app)


@app.get("/")
def index():
    return jsonify(
        app="flask-gunicorn",
        worker=os.environ.get("MONOHULL_WORKER"),
        protocol=request.scheme,
        client=request.remote_addr,
    )


@app.get("/slow")
def slow():
    time.sleep(1)
    return "done"


@app.post("/echo")
def echo():
    return request.get_data()
