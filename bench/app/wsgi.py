"""What server.js does, for Gunicorn."""


def application(environ, start_response):
    if environ["REQUEST_METHOD"] == "POST":
        length = len(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        body = b"%d\n" % length
    else:
        body = b"hello\n"
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
