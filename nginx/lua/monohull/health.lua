--- Health checks: the supervisor's response, at most a second old if there are many.
local questions_per_second = 20
local longest_wait_seconds = 2.5
local poll_seconds = 0.1
local connect_timeout_ms, read_timeout_ms = 1000, 2000

--- Questions of this nginx worker about each path in this second, and the last response to each.
local second, asked = 0, {}
local last = {}

local M = {}

--- The supervisor's response: its status and body; 502 without a connection, 504 without a response.
local function ask(socket_path, path)
    local socket = ngx.socket.tcp()
    socket:settimeouts(connect_timeout_ms, connect_timeout_ms, read_timeout_ms)
    if not socket:connect(socket_path) then return 502, "" end
    local sent = socket:send("GET " .. path .. " HTTP/1.0\r\nHost: localhost\r\n\r\n")
    local response, problem = nil, nil
    if sent then response, problem = socket:receive("*a") end
    socket:close()
    local status, body = (response or ""):match("^HTTP/1.1 (%d+).-\r\n\r\n(.*)$")
    if status then return tonumber(status), body end
    return problem == "timeout" and 504 or 502, ""
end

--- Whether this second has a question about the path left.
local function may_ask(path)
    local now = math.floor(ngx.now())
    if now ~= second then second, asked = now, {} end
    asked[path] = (asked[path] or 0) + 1
    return asked[path] <= questions_per_second
end

local function is_fresh(response)
    return response and ngx.now() - response.time < 1
end

--- A response that is at most a second old.
local function response_to(socket_path, path)
    local deadline = ngx.now() + longest_wait_seconds
    while ngx.now() < deadline do
        if may_ask(path) then
            local status, body = ask(socket_path, path)
            last[path] = { status = status, body = body, time = ngx.now() }
            return last[path]
        end
        if is_fresh(last[path]) then return last[path] end
        ngx.sleep(poll_seconds)
    end
    return { status = 504 }
end

--- Content of a health path.
function M.respond(socket_path)
    local response = response_to(socket_path, ngx.var.uri)
    if response.status == 502 or response.status == 504 then return ngx.exit(response.status) end
    ngx.status = response.status
    ngx.header["Content-Type"] = "application/json; charset=utf-8"
    ngx.header["Cache-Control"] = "no-store"
    ngx.header["Content-Length"] = #response.body
    ngx.print(response.body)
end

return M
