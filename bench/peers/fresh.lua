-- A connection for each request, for bench/load.ts.
wrk.headers["Connection"] = "close"
