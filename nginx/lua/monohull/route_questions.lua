--- Questions to the supervisor about dynamic hosts.
local known_hosts = require "monohull.known_hosts"

--- Longest time that a request waits for the route of its host.
local max_wait_seconds = 2
local connect_timeout_ms = 1000
local poll_seconds = 0.02
--- Pause before the next question about a stale answer, if there is no response.
local refresh_seconds = 5
--- Maximum number of concurrent questions of one nginx worker, so that it has connections left.
local max_questions = 100

--- Questions of this nginx worker that have no response yet.
local open_questions = 0

local M = {}

--- The supervisor's whole response about a host; empty if there is none.
local function request_route(ask_socket, host)
    local socket = ngx.socket.tcp()
    socket:settimeouts(connect_timeout_ms, connect_timeout_ms, max_wait_seconds * 1000)
    if not socket:connect(ask_socket) then return "" end
    local sent = socket:send("GET /" .. host .. " HTTP/1.0\r\n\r\n")
    local response = sent and socket:receive("*a")
    socket:close()
    return response or ""
end

--- Version, route and wildcard in the body of a response; nothing if it is incomplete.
local function parse_answer(body)
    local version, route, wildcard = body:match("^(%d+) (%S+) ?(%S*)$")
    if version and (wildcard == "" or wildcard:find("^%*%.")) then
        return tonumber(version), route, wildcard ~= "" and wildcard or nil
    end
end

--- Asks about a host and stores the answer. Without one, nothing changes.
-- @return whether the supervisor says that there is none now
local function ask(ask_socket, host)
    if open_questions >= max_questions then return false end
    open_questions = open_questions + 1
    local response = request_route(ask_socket, host)
    open_questions = open_questions - 1
    local status, body = response:match("^HTTP/1.1 (%d+).-\r\n\r\n(.*)$")
    local version, route, wildcard
    if status == "200" then
        version, route, wildcard = parse_answer(body)
        if version then known_hosts.set_route(host, route, wildcard) end
    elseif status == "404" then
        version = tonumber(body:match("^(%d+) ?$"))
        if version then known_hosts.set_unknown(host) end
    end
    -- changes that arrived in the meantime are newer: the next request asks again
    if version and version < known_hosts.version() then
        known_hosts.forget(host)
        if wildcard then known_hosts.forget(wildcard) end
    end
    return status == "503"
end

--- Timer that asks again after a request has found a stale answer.
local function refresh(_, ask_socket, host)
    ask(ask_socket, host)
end

--- Asks about a host beside the requests for it, unless another does.
function M.refresh(ask_socket, host)
    if known_hosts.reserve(host, refresh_seconds) then ngx.timer.at(0, refresh, ask_socket, host) end
end

--- Asks until the answer about a host is known, the time is up, the supervisor has none, or too many unknown hosts were
-- asked about. One request asks, and the others wait for its response. Returns as `known_hosts.find` does.
function M.wait(ask_socket, host, stale_seconds)
    local started = ngx.now()
    local route, value
    local function is_open()
        route, value = known_hosts.find(host, stale_seconds)
        return value == nil or value == "due"
    end
    while is_open() and ngx.now() - started <= max_wait_seconds and known_hosts.may_ask() do
        if known_hosts.reserve(host, max_wait_seconds + 1) then
            -- another nginx worker may have got the response a moment ago
            local is_hopeless = is_open() and ask(ask_socket, host)
            known_hosts.release(host)
            if is_hopeless then break end
        end
        if is_open() then ngx.sleep(poll_seconds) end
    end
    return route, value
end

return M
