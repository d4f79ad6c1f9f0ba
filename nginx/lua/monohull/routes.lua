--- Requests to dynamic hosts (`dynamic_routes`): docs/decisions/030-dynamic-routes.md.
local known_hosts = require "monohull.known_hosts"

--- Longest time that a request waits for the target of its host.
local max_wait_seconds = 2
local connect_timeout_ms = 1000
local poll_seconds = 0.02
--- Pause before the next question about a stale target, if there is no response.
local refresh_seconds = 5
--- Maximum number of concurrent questions of one nginx worker, so that it has connections left.
local max_questions = 100

--- Questions of this nginx worker that have no response yet.
local open_questions = 0
--- Locations by target, read on the first request; the same for every request.
local locations

local M = {}

--- Whether a host can have a route.
local function is_host_name(host)
    return #host <= 253 and host:find("^[a-z0-9_][a-z0-9_.-]*$") ~= nil
end

--- The address in a target; nil when it is not a numeric one.
local function address_of(target)
    return target:match("^address:([%d.]+:%d+)$") or target:match("^address:(%[[%x:]+%]:%d+)$")
end

--- Locations by target, from texts with pairs of words.
local function read_locations(...)
    local found = {}
    for _, text in ipairs({ ... }) do
        for target, location in text:gmatch("(%S+) (%S+)") do
            found[target] = location
        end
    end
    return found
end

--- The supervisor's whole response about a host; empty if there is none.
local function request_target(ask_socket, host)
    local socket = ngx.socket.tcp()
    socket:settimeouts(connect_timeout_ms, connect_timeout_ms, max_wait_seconds * 1000)
    if not socket:connect(ask_socket) then return "" end
    local sent = socket:send("GET /" .. host .. " HTTP/1.0\r\n\r\n")
    local response = sent and socket:receive("*a")
    socket:close()
    return response or ""
end

--- Status, version and target in a response; nothing when it is incomplete.
local function parse_response(response)
    return response:match("^HTTP/1.1 (%d+).-\r\n\r\n(%d+) ?(%S*)$")
end

--- Asks about a host and stores the response. Without a response, nothing changes.
local function ask(ask_socket, host)
    if open_questions >= max_questions then return end
    open_questions = open_questions + 1
    local response = request_target(ask_socket, host)
    open_questions = open_questions - 1
    local status, version, target = parse_response(response)
    if status == "200" then
        known_hosts.set_target(host, target)
    elseif status == "404" then
        known_hosts.set_unknown(host)
    else
        return
    end
    -- changes that arrived in the meantime are newer: the next request asks again
    if tonumber(version) < known_hosts.version() then
        known_hosts.forget(host)
    end
end

--- Timer that asks again after a request has found a stale target.
local function refresh(_, ask_socket, host)
    ask(ask_socket, host)
end

--- Asks until a host is known or the time is up. One request asks, and the others wait for its response.
local function wait_for(ask_socket, host)
    local started = ngx.now()
    while not known_hosts.is_known(host) and ngx.now() - started <= max_wait_seconds do
        if known_hosts.reserve(host, max_wait_seconds + 1) then
            -- another nginx worker may have got the response a moment ago
            if not known_hosts.is_known(host) then ask(ask_socket, host) end
            known_hosts.release(host)
        end
        if not known_hosts.is_known(host) then ngx.sleep(poll_seconds) end
    end
end

--- Rewrite phase of a dynamic host: goes to the location for its target.
-- 403 for hosts without a route; 503 without a response, or for a target that is gone.
-- @param ask_socket `unix:` and the path of the socket that the supervisor responds at
-- @param ... texts with pairs of a target and its location, `app:web @web upstream:old @old`
function M.route(ask_socket, ...)
    local host = ngx.var.host
    local target, fresh_until = known_hosts.target(host)
    if target then
        if ngx.time() > fresh_until and known_hosts.reserve(host, refresh_seconds) then
            ngx.timer.at(0, refresh, ask_socket, host)
        end
    else
        if not is_host_name(host) then return ngx.exit(403) end
        wait_for(ask_socket, host)
        target = known_hosts.target(host)
        if not target then return ngx.exit(known_hosts.is_unknown(host) and 403 or 503) end
    end
    locations = locations or read_locations(...)
    local location = locations[target]
    if location then return ngx.exec(location) end
    local address = address_of(target)
    if not address then return ngx.exit(503) end
    ngx.var.monohull_address = address
    return ngx.exec("@monohull_address")
end

return M
