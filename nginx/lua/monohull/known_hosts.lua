--- What nginx knows about dynamic hosts. All nginx workers share it, and reloads keep it.
-- A target is `app:NAME`, `upstream:NAME` or `address:IP:PORT`.
local targets, questions = ngx.shared.monohull_routes, ngx.shared.monohull_asked

--- How long a target is fresh. After that, the next request triggers a new question without waiting for it.
local fresh_seconds = 30
--- How long a target is used while the supervisor is unavailable.
local stale_seconds = 600
--- How long a host stays unknown.
local unknown_seconds = 10

--- Key of the version of the latest changes: no host contains a slash.
local version_key = "/version"

local M = {}

--- The target of a host, and the time until which it is fresh; nil without a target.
function M.target(host)
    return targets:get(host)
end

--- Whether the supervisor said that a host has no route.
function M.is_unknown(host)
    return questions:get("no " .. host)
end

--- Whether the answer for a host is known.
function M.is_known(host)
    return M.target(host) or M.is_unknown(host)
end

function M.set_target(host, target)
    targets:set(host, target, stale_seconds, ngx.time() + fresh_seconds)
end

function M.set_unknown(host)
    questions:set("no " .. host, true, unknown_seconds)
    targets:delete(host)
end

function M.clear_unknown(host)
    questions:delete("no " .. host)
end

--- Removes the answer for a host, so that the next request asks.
function M.forget(host)
    targets:delete(host)
    M.clear_unknown(host)
end

--- Version of the latest changes that the supervisor sent; 0 before the first.
function M.version()
    return targets:get(version_key) or 0
end

function M.set_version(version)
    targets:set(version_key, version)
end

--- Reserves the question about a host, so that only one nginx worker asks; false if another has reserved it.
function M.reserve(host, seconds)
    return questions:add("? " .. host, true, seconds)
end

function M.release(host)
    questions:delete("? " .. host)
end

return M
