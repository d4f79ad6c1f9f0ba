--- Counts of requests by route, method, status and scheme: docs/decisions/066-requests-counted-in-lua.md.
-- Each nginx worker counts in its own tables and adds them to the shared dictionary several times a second.
local base = require "resty.core.base"
local ffi = require "ffi"
local request_ids = require "monohull.request_ids"

local shared = ngx.shared.monohull_counts

--- Upper bounds of the buckets in seconds: those of OpenTelemetry for http.server.request.duration.
local bounds = { 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10 }
--- Methods with a label of their own: those that OpenTelemetry knows.
local methods = {}
for name in ("CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE"):gmatch("%a+") do methods[name] = name end
--- Maximum number of counters of one nginx worker. A program may respond with any status.
local most_counters = 50000

--- Lines by route and method, and counters by what they count.
local lines, counters, counter_count = {}, {}, 0
--- Counters with something to add.
local changed, change_count = {}, 0

local M = {
    --- Lines of the open requests of this nginx worker, by the address of the request.
    open = {},
}
local open = M.open

--- A counter; its key in the dictionary is followed by the name of the field. Undefined if there are too many.
local function counter_of(key)
    local counter = counters[key]
    if counter or counter_count == most_counters then return counter end
    counter = { key = key, n = 0, s = 0, w = 0, i = 0, o = 0, is_changed = false }
    for bucket = 1, #bounds do counter[bucket] = 0 end
    counters[key], counter_count = counter, counter_count + 1
    return counter
end

--- What requests to a route with a method have in common. The capital letters of a route are its flags:
-- `A`: leads to an app; `C`: has a cache; `G`: only some clients may use it; `L`: another location is chosen later.
local function line_of(route, method)
    method = methods[method] or "_OTHER"
    local of_route = lines[route]
    if not of_route then
        of_route = {}
        lines[route] = of_route
    end
    local line = of_route[method]
    if not line then
        line = {
            route = route,
            method = method,
            is_app = route:find("A", 1, true) ~= nil,
            has_cache = route:find("C", 1, true) ~= nil,
            is_guarded = route == "" or route:find("G", 1, true) ~= nil,
            is_preliminary = route:find("L", 1, true) ~= nil,
            schemes = {},
        }
        of_route[method] = line
    end
    return line
end

local function note(counter)
    if counter.is_changed then return end
    counter.is_changed = true
    change_count = change_count + 1
    changed[change_count] = counter
end

--- Adds one to a counter that is seldom used.
local function count_one(key)
    local counter = counter_of(key)
    if not counter then return end
    counter.n = counter.n + 1
    note(counter)
end

--- Why nginx itself rejected a request; nil if it did not.
local function rejection(status, line)
    local var = ngx.var
    if var.upstream_status then return nil end
    if var.limit_req_status == "REJECTED" then return "rate" end
    if var.limit_conn_status == "REJECTED" then return status == 503 and "overload" or "connections" end
    if status == 413 then return "body_size" end
    if status == 421 or status == 444 then return line.route == "" and "host" or nil end
    if not line.is_guarded then return nil end
    if status == 401 then return "auth" end
    return status == 403 and "access" or nil
end

local may_be_rejected = {}
for _, status in ipairs { 401, 403, 413, 421, 429, 444, 503 } do may_be_rejected[status] = true end

--- Seconds of all tries of a request.
local function sum_of(tries)
    local seconds = tonumber(tries)
    if seconds then return seconds end
    seconds = 0
    for each in tries:gmatch("[%d.]+") do seconds = seconds + (tonumber(each) or 0) end
    return seconds
end

local function bucket_of(seconds)
    for bucket = 1, #bounds do
        if seconds <= bounds[bucket] then return bucket end
    end
end

--- Address of the present request.
local function address()
    return tonumber(ffi.cast("uintptr_t", base.get_request()))
end

--- Rewrite phase of a request to an app or upstream: it is open from now on. The first location counts, unless it is
-- preliminary.
function M.begin(route)
    local line = open[address()]
    if (line and not line.is_preliminary) or ngx.is_subrequest then return end
    open[address()] = line_of(route, line and line.method or ngx.req.get_method())
end

--- The same, and the id of the request, half of which becomes its span id. A request keeps its first id.
function M.begin_with_id(route)
    local is_first = not open[address()] and not ngx.is_subrequest
    M.begin(route)
    local id = is_first and request_ids.make()
    if not id then return ngx.var.monohull_own_id end
    ngx.var.monohull_span_id = id:sub(17)
    return id
end

--- Counter of requests of a line with a status.
local function counter_for(line, scheme, status)
    local of_scheme = line.schemes[scheme]
    if not of_scheme then
        of_scheme = {}
        line.schemes[scheme] = of_scheme
    end
    local counter = of_scheme[status]
    if not counter then
        counter = counter_of(table.concat({ line.route, line.method, status, scheme }, " "))
        of_scheme[status] = counter
    end
    return counter
end

--- Log phase: counts the request.
-- @param name the worker that responded, if it is known
function M.finish(name)
    local var = ngx.var
    local request, status = address(), ngx.status
    local line = open[request]
    if line then
        open[request] = nil
    else
        local route = var.monohull_route
        if route == "-" then return end
        -- nginx changes the method for a page in place of a response
        line = line_of(route, status < 400 and ngx.req.get_method() or var.monohull_method)
    end
    local counter = counter_for(line, var.scheme, status)
    if not counter then return end
    -- both are whole milliseconds, but for the precision of numbers
    local seconds = math.max(0, math.floor((ngx.now() - ngx.req.start_time()) * 1000 + 0.5)) / 1000
    counter.n = counter.n + 1
    counter.s = counter.s + seconds
    counter.i = counter.i + (tonumber(var.request_length) or 0)
    counter.o = counter.o + (tonumber(var.bytes_sent) or 0)
    local bucket = bucket_of(seconds)
    if bucket then counter[bucket] = counter[bucket] + 1 end
    local tries = var.upstream_response_time
    if tries then
        local worked = sum_of(tries)
        counter.w = counter.w + worked
        if line.is_app then name = name or var.monohull_responder end
        local worker = line.is_app and name and name ~= "" and counter_of(name)
        if worker then
            worker.n, worker.w = worker.n + 1, worker.w + worked
            note(worker)
        end
    end
    note(counter)
    if line.has_cache and var.upstream_cache_status then count_one("cache " .. var.upstream_cache_status) end
    local reason = may_be_rejected[status] and rejection(status, line)
    if reason then count_one("rejected " .. reason) end
    -- the guard no longer runs
    if ngx.worker.exiting() then require("monohull.request_report").tick() end
end

local function add(key, field, by)
    if by == 0 then return end
    local _, problem, dropped_another = shared:incr(key .. " " .. field, by, 0)
    if problem or dropped_another then shared:incr("dropped", 1, 0) end
end

--- Adds what this nginx worker has counted to the dictionary.
function M.flush()
    for index = 1, change_count do
        local counter = changed[index]
        changed[index] = nil
        counter.is_changed = false
        for _, field in ipairs({ "n", "s", "w", "i", "o" }) do
            add(counter.key, field, counter[field])
            counter[field] = 0
        end
        for bucket = 1, #bounds do
            add(counter.key, bucket, counter[bucket])
            counter[bucket] = 0
        end
    end
    change_count = 0
end

return M
