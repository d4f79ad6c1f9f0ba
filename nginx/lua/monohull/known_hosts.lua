--- What nginx knows about dynamic hosts: docs/decisions/069-answers-that-need-no-refresh.md.
-- All nginx workers share it, and reloads keep it.

--- Routes by host or wildcard, as texts for route_text.lua, with the time of the answer.
local routes = ngx.shared.monohull_routes
--- Hosts without their own route: the wildcard that has it, or `none`. Apart, so that they never displace a route.
local others = ngx.shared.monohull_other_hosts
--- Reservations, and a count.
local questions = ngx.shared.monohull_asked
--- What is known about the supervisor. Small and apart, so that nothing displaces it.
local state = ngx.shared.monohull_route_state

--- How long an answer is fresh, after it was given or last confirmed by a sign of life.
local fresh_seconds = 30
--- Time between two signs of life: the last one before a silence may have been that long ago.
local beat_seconds = 5
--- How long a host stays unknown.
local unknown_seconds = 10
--- Questions in a second about hosts that turn out to have no route.
local most_unknown = 200
local none = "none"

--- Events as this nginx worker has read them in the present millisecond: many requests need them.
local read_at, all, newest_wildcard, trusted, alive, ended

local M = {}

--- Reads the times of the latest events: when every host was to be asked about again, when a wildcard was added, when
-- the stream of changes began, the last sign of life, and the last one of the stream before.
local function read_events()
    local now = ngx.now()
    if now == read_at then return end
    read_at = now
    all, newest_wildcard = state:get("all") or 0, state:get("others") or 0
    trusted, alive = state:get("trusted") or math.huge, state:get("alive") or 0
    ended = state:get("ended") or 0
end

--- Sets the time of an event.
local function mark(event, time)
    state:set(event, time)
    read_at = nil
end

--- A time later than each of the marks. With several in one second, it is ahead of the clock.
local function next_time()
    local latest = math.max(state:get("all") or 0, state:get("others") or 0, state:get("trusted") or 0)
    return math.max(ngx.time(), latest + 1)
end

--- What an answer is worth: `fresh`, `stale` (in use while a question is open), `due` (a question comes first), or nil.
-- Signs of life confirm the answers since the stream of changes began. Those from before were confirmed until it did.
local function worth(answered_at, stale_seconds)
    read_events()
    local now = ngx.time()
    local is_trusted = answered_at > trusted
    local confirmed_at = math.max(answered_at, is_trusted and alive or ended)
    if now - confirmed_at > stale_seconds + beat_seconds then return nil end
    if answered_at <= all then return "due" end
    return now - (is_trusted and confirmed_at or answered_at) > fresh_seconds and "stale" or "fresh"
end

local function find(name, stale_seconds)
    local route, answered_at = routes:get(name)
    local value = route and worth(answered_at, stale_seconds)
    if value then return route, value end
end

--- The route of a host, else that of its wildcard, and what the answer is worth. Without a route: nil, and `unknown` if
-- the supervisor said that there is none.
function M.find(host, stale_seconds)
    local route, value = find(host, stale_seconds)
    if route then return route, value end
    local wildcard, answered_at = others:get(host)
    if not wildcard then return nil end
    local others_value = worth(answered_at, stale_seconds)
    local is_due = answered_at <= newest_wildcard
    if wildcard == none then return nil, not is_due and others_value ~= "due" and "unknown" or nil end
    route, value = find(wildcard, stale_seconds)
    if not route or not others_value then return nil end
    if is_due or others_value == "due" then return route, "due" end
    return route, others_value == "stale" and others_value or value
end

--- Stores an answer: the route of a host, or of the wildcard that it falls under.
function M.set_route(host, route, wildcard)
    local time = next_time()
    if wildcard then
        routes:delete(host)
        others:set(host, wildcard, 0, time)
    end
    routes:set(wildcard or host, route, 0, time)
end

function M.set_unknown(host)
    routes:delete(host)
    others:set(host, none, unknown_seconds, next_time())
    questions:incr("unknown " .. ngx.time(), 1, 0, 2)
end

--- Whether another question may be about a host without a route: at most so many are asked in a second.
function M.may_ask()
    return (questions:get("unknown " .. ngx.time()) or 0) < most_unknown
end

--- Removes the answer about a host, so that the next request asks.
function M.forget(host)
    routes:delete(host)
    others:delete(host)
end

--- Takes a change: the new route of a host or wildcard; nil if it was removed.
function M.change(name, route)
    -- a new wildcard may be the longest for hosts that have another, or none
    if name:sub(1, 2) == "*." and route and not routes:get(name) then mark("others", next_time()) end
    if route then routes:set(name, route, 0, next_time()) else routes:delete(name) end
end

--- Has every host asked about again before its answer is used.
function M.change_all()
    mark("all", next_time())
end

--- Version of the latest changes that the supervisor sent; 0 before the first.
function M.version()
    return state:get("version") or 0
end

function M.set_version(version)
    state:set("version", version)
end

--- Takes a sign of life. Changes may have been missed before another stream, and in a silence.
function M.hear(stream)
    local now = ngx.time()
    if state:get("stream") ~= stream or now - (state:get("alive") or 0) > fresh_seconds then
        state:set("ended", state:get("alive") or 0)
        mark("trusted", next_time())
    end
    state:set("stream", stream)
    mark("alive", now)
end

--- Reserves the question about a host, so that only one nginx worker asks; false if another has reserved it.
function M.reserve(host, seconds)
    return questions:add("? " .. host, true, seconds)
end

function M.release(host)
    questions:delete("? " .. host)
end

return M
