-- A POST of 1 KB.
wrk.method = 'POST'
wrk.headers['Content-Type'] = 'text/plain'
wrk.body = string.rep('x', 1024)
