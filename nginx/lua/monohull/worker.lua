--- Name of the worker that a request was sent to, for the access log: docs/decisions/056-workers-named-in-logs.md.
local ffi = require "ffi"

ffi.cdef "ssize_t readlink(const char *path, char *target, size_t size);"

--- An entry of an app leads to that of a slot, and this to the socket of the worker.
local most_links = 3
local longest_path = 4096
--- A name is looked up again after this time. Each lookup costs as much as the rest of the log line.
local fresh_seconds = 0.1

local target = ffi.new("char[?]", longest_path)
--- Names by nginx's text for the tries of a request, and when they expire.
local names, expires = {}, 0

--- Undefined if requests are not counted.
local requests = ngx.shared.monohull_counts and require "monohull.requests"

local M = {}

--- Name such as `app.1` of the worker whose socket a path leads to now; nil for other paths.
local function name_at(path)
    for _ = 1, most_links do
        local app, slot = path:match("([^/]+)%-(%d+)%.%d+%.sock$")
        if app then return app .. "." .. slot end
        local length = tonumber(ffi.C.readlink(path, target, longest_path))
        if length < 1 then break end
        path = ffi.string(target, length)
    end
    -- a slot without a worker
    local app, slot = path:match("([^/]+)%-(%d+)%.sock$")
    return app and app .. "." .. slot
end

--- Name of the worker of the last try in nginx's text for the tries; empty if it was no worker.
function M.find(tries)
    local path = tries:match("^.*unix:(/.-):?$")
    return path and name_at(path) or ""
end

--- Header filter: names the worker that responds. Its entry may lead to another one before the response has ended.
-- Returns the name: empty for a server that is no worker, nil without one.
function M.note()
    local tries = ngx.var.upstream_addr
    if not tries then return end
    local now = ngx.now()
    if now >= expires then names, expires = {}, now + fresh_seconds end
    local name = names[tries]
    if not name then
        name = M.find(tries)
        names[tries] = name
    end
    if name ~= "" then ngx.var.monohull_responder = name end
    return name
end

--- Log phase of a request to an app: names the worker that did not respond.
-- @param counted the app, if its busy time is counted
-- @param sleeps set if it also sleeps
function M.log(counted, sleeps)
    local name = ngx.var.monohull_responder
    if name == "" then name = M.note() end
    if counted then require("monohull.busy").count(counted, sleeps) end
    if requests then requests.finish(name) end
end

--- Log phase of a page in place of a response: names the worker, unless the request was sent to an upstream.
function M.log_page(run_dir)
    local at = (ngx.var.upstream_addr or ""):match("^.*unix:(/.*)$")
    if at and at:sub(1, #run_dir + 1) == run_dir .. "/" then M.note() end
    if (ngx.var.monohull_target or "") ~= "" then require("monohull.route_address").end_last() end
    if requests then requests.finish() end
end

return M
