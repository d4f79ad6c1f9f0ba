"""An ASGI app without a framework; Starlette and FastAPI are started in the same way."""

import asyncio
import json
import os


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
        await answer(send, b"done")
    elif scope["path"] == "/echo":
        await answer(send, await read_body(receive))
    else:
        found = {"app": "asgi", "worker": os.environ.get("MONOHULL_WORKER"), "protocol": scope["scheme"]}
        await answer(send, json.dumps(found).encode())


async def read_body(receive):
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def answer(send, body):
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
