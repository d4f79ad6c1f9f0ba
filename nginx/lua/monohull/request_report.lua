--- Report of the counted and the open requests: docs/decisions/066-requests-counted-in-lua.md.
local ffi = require "ffi"
local queues = require "monohull.queues"
local requests = require "monohull.requests"
local worker = require "monohull.worker"

ffi.cdef [[
    int ngx_http_lua_ffi_var_get(ngx_http_request_t *r, const char *name_data, size_t name_len, char *lowcase_buf,
        int capture_id, char **value, size_t *value_len, char **err);
    double ngx_http_lua_ffi_req_start_time(ngx_http_request_t *r);
    int ngx_http_lua_ffi_get_resp_status(ngx_http_request_t *r);
]]

local shared = ngx.shared.monohull_counts

--- Time for which open requests are shown after somebody asked, and for which the first one waits for other workers.
local asked_seconds, first_wait_seconds = 150, 0.3
local switched_protocols = 101
local longest_path = 200

local lowercase, value = ffi.new("char[64]"), ffi.new("char *[1]")
local length, problem = ffi.new("size_t[1]"), ffi.new("char *[1]")

--- What is known about open requests, by their addresses: the start, the worker, and when nginx is asked for it again,
-- because nginx takes memory of the request for each value.
local known = {}
local was_shown = false

local M = {}

local function request_at(address)
    return ffi.cast("ngx_http_request_t *", address)
end

--- Variable of another request of this nginx worker; nil if it has no value.
local function variable(address, name)
    local request = request_at(address)
    local result = ffi.C.ngx_http_lua_ffi_var_get(request, name, #name, lowercase, 0, value, length, problem)
    return result == 0 and ffi.string(value[0], length[0]) or nil
end

--- Addresses that a request of a dynamic route was sent to last, or may be sent to.
local function addresses_of(address)
    local used = (variable(address, "upstream_addr") or ""):match("([^%s,]+)$")
    if used then return { used } end
    local found = {}
    local route = variable(address, "monohull_address") or ""
    for each in route:gmatch("address:([^*,;]+)") do table.insert(found, each) end
    return found
end

--- Worker or addresses that an open request was sent to, and when the request began.
local function facts_of(address, line, now)
    local facts = known[address]
    local started = ffi.C.ngx_http_lua_ffi_req_start_time(request_at(address))
    -- the address may be that of another request now
    if not facts or facts.started ~= started then
        facts = { started = started, due = 0 }
        known[address] = facts
    end
    if line.is_preliminary and now >= facts.due then
        facts.addresses = addresses_of(address)
        facts.due = now + math.max(0.1, now - started)
    end
    if line.is_app and now >= facts.due then
        facts.worker = worker.find(variable(address, "upstream_addr") or "")
        -- another try goes to another worker
        facts.due = now + math.max(0.1, now - started)
    end
    return facts
end

--- Method and path of an open request. The path has no query, no space and no control character.
local function describe(address, line)
    local path = (variable(address, "monohull_path") or ""):sub(1, longest_path):gsub("[^\33-\126]", "?")
    return line.method .. " " .. path
end

--- Whether an open request is a WebSocket.
local function is_switched(address)
    return ffi.C.ngx_http_lua_ffi_get_resp_status(request_at(address)) == switched_protocols
end

--- Lines about the open requests of this nginx worker: `route ROUTE COUNT`, `worker NAME COUNT`, `address ADDRESS
-- COUNT`, and for the oldest of each worker that is no WebSocket, `oldest NAME SECONDS METHOD PATH` with its start
-- since the Unix epoch.
local function survey()
    local now = ngx.now()
    local routes, workers, addresses, oldest = {}, {}, {}, {}
    for address in pairs(known) do
        if not requests.open[address] then known[address] = nil end
    end
    for address, line in pairs(requests.open) do
        routes[line.route] = (routes[line.route] or 0) + 1
        local facts = facts_of(address, line, now)
        for _, each in ipairs(facts.addresses or {}) do addresses[each] = (addresses[each] or 0) + 1 end
        local name = facts.worker
        if name and name ~= "" then
            workers[name] = (workers[name] or 0) + 1
            local first = oldest[name]
            local is_older = not first or facts.started < known[first].started
            if is_older and not is_switched(address) then oldest[name] = address end
        end
    end
    local found = {}
    for route, count in pairs(routes) do table.insert(found, "route " .. route .. " " .. count) end
    for name, count in pairs(workers) do table.insert(found, "worker " .. name .. " " .. count) end
    for each, count in pairs(addresses) do table.insert(found, "address " .. each .. " " .. count) end
    for name, address in pairs(oldest) do
        local start = ("%.3f"):format(known[address].started)
        table.insert(found, table.concat({ "oldest", name, start, describe(address, requests.open[address]) }, " "))
    end
    return table.concat(found, "\n")
end

local function key_of(pid)
    return "open " .. pid
end

--- Shows the other nginx workers the open requests of this one.
local function show()
    local text = survey()
    was_shown = text ~= ""
    if was_shown then shared:set(key_of(ngx.worker.pid()), text) else shared:delete(key_of(ngx.worker.pid())) end
end

--- Called several times a second. While nobody asks, only counts are shared.
function M.tick()
    requests.flush()
    if was_shown or next(requests.open) then
        if shared:get("asked") then show() elseif was_shown then
            was_shown = false
            shared:delete(key_of(ngx.worker.pid()))
        end
    end
end

local function is_alive(pid)
    local file = io.open("/proc/" .. pid .. "/stat")
    if file then file:close() end
    return file ~= nil
end

--- Content of the report's location: a line for each count, `KEY FIELD NUMBER`, those of `survey` for all nginx
-- workers, and the queues of sockets.
function M.report()
    local is_first = not shared:get("asked")
    shared:set("asked", true, asked_seconds)
    requests.flush()
    if is_first and ngx.worker.count() > 1 then ngx.sleep(first_wait_seconds) end
    show()
    local found = {}
    for _, key in ipairs(shared:get_keys(0)) do
        local pid = key:match("^open (%d+)$")
        local text = shared:get(key)
        if pid and not is_alive(pid) then
            shared:delete(key)
        elseif pid then
            table.insert(found, text or "")
        elseif key ~= "asked" and text ~= nil then
            table.insert(found, key .. " " .. ("%.14g"):format(text))
        end
    end
    for _, line in ipairs(queues.read()) do table.insert(found, line) end
    ngx.header["Content-Type"] = "text/plain"
    ngx.print(table.concat(found, "\n"), "\n")
end

--- Deletes the counts of routes: a list of them in the query, separated by commas.
function M.forget()
    local routes = {}
    for route in (ngx.var.args or ""):gmatch("[^,]+") do routes[route] = true end
    for _, key in ipairs(shared:get_keys(0)) do
        if routes[key:match("^%S+")] then shared:delete(key) end
    end
end

return M
