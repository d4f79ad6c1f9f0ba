from flask import Flask, redirect, request

app = Flask(__name__)


@app.get("/")
def index():
    return {"host": request.host, "forwarded_host": request.headers.get("X-Forwarded-Host")}


@app.get("/old")
def old():
    return redirect(f"http://{request.host}/")
