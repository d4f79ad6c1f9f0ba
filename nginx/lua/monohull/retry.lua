--- Requests that a worker did not respond to: docs/decisions/050-one-request-ends-one-worker.md.
local connect_timeout_ms, response_timeout_ms = 1000, 1000
local most_tries = 3
local longest_path = 250
local ENOENT = 2

local M = {}

--- Tries so far: their number, how many were sent to a worker, the bytes of all responses, and the last address.
local function tries()
    local count, sent, received = 0, 0, 0
    for bytes in (ngx.var.upstream_bytes_sent or ""):gmatch("[%d-]+") do
        count = count + 1
        if (tonumber(bytes) or 0) > 0 then sent = sent + 1 end
    end
    for bytes in (ngx.var.upstream_bytes_received or ""):gmatch("%d+") do
        received = received + tonumber(bytes)
    end
    local addresses = ngx.var.upstream_addr or ""
    return count, sent, received, addresses:match("^.*[,:] (.+)$") or addresses
end

--- Time at which the last try began, in ms since the Unix epoch.
local function began_at()
    local seconds = (ngx.var.upstream_response_time or ""):match("([%d.]+)$")
    return ("%.0f"):format((ngx.now() - (tonumber(seconds) or 0)) * 1000)
end

--- Whether the request can be sent once more, after it was sent. POST, PATCH and LOCK may have changed something,
-- and a body that nginx did not keep is gone.
local function may_repeat(body)
    local method = ngx.var.monohull_method
    if method == "POST" or method == "PATCH" or method == "LOCK" then return false end
    if body ~= "unkept" then return true end
    if ngx.var.http_transfer_encoding or (tonumber(ngx.var.content_length) or 0) > 0 then return false end
    return ngx.req.http_version() < 2 or method == "GET" or method == "HEAD"
end

--- Whether the supervisor listens, or has: during startup it does not yet, and connecting would log a critical error.
local function is_there(socket_path)
    local file, _, errno = io.open((socket_path:gsub("^unix:", "")))
    if file then file:close() end
    return errno ~= ENOENT
end

--- The supervisor's status and body; nothing if it does not respond.
local function ask(socket_path, ...)
    if not is_there(socket_path) then return nil end
    local words = {}
    for _, word in ipairs({ ... }) do table.insert(words, ngx.escape_uri(word)) end
    local socket = ngx.socket.tcp()
    socket:settimeouts(connect_timeout_ms, connect_timeout_ms, response_timeout_ms)
    if not socket:connect(socket_path) then return nil end
    local sent = socket:send("GET /" .. table.concat(words, "/") .. " HTTP/1.0\r\n\r\n")
    local response = sent and socket:receive("*a")
    socket:close()
    return (response or ""):match("^HTTP/1.1 (%d+).-\r\n\r\n(.*)$")
end

--- The page for a failed request. It is a file, so its method is GET.
local function give_up()
    if ngx.var.request_method ~= "HEAD" then ngx.req.set_method(ngx.HTTP_GET) end
    return ngx.exec("/.monohull/bad-gateway." .. ngx.var.monohull_page_type)
end

--- Rewrite phase after a failed try: sends the request to another worker, or responds with 502, or with 503 if it
-- reached none.
-- The variable contains the app, the location for the next try, and `unkept` if nginx does not keep bodies there.
function M.decide(socket_path)
    local app, location, body = ngx.var.monohull_retry:match("^(%S+) (%S+) ?(%S*)$")
    local count, sent, received, address = tries()
    -- the worker did respond, but not with valid HTTP
    if received > 0 then return give_up() end
    local is_possible = count < most_tries and ((sent == 0 and body ~= "unkept") or may_repeat(body))
    local path = ngx.var.monohull_path:sub(1, longest_path)
    local status, target = ask(socket_path, app, ngx.var.monohull_method, path, ngx.var.monohull_own_id, address,
        began_at(), tostring(sent), is_possible and "possible" or "impossible")
    if status == "503" then return ngx.exit(503) end
    if not is_possible or status == "403" then return give_up() end
    ngx.var.monohull_retry_to = status == "200" and target ~= "" and target or "app_" .. app
    return ngx.exec(location)
end

--- Header filter of the page.
function M.bad_gateway()
    ngx.status = 502
end

return M
