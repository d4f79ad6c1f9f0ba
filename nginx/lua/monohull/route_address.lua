--- The servers of a dynamic route that leads to addresses.
local balancer = require "ngx.balancer"
local route_choice = require "monohull.route_choice"
local route_text = require "monohull.route_text"

--- Maximum number of servers that a request is tried on: `proxy_next_upstream_tries` in snippets/timeouts.conf.
local most_tries = 3
--- By how much the clock of the timeout and that of the request may differ, in ms.
local tolerance_ms = 5
--- NGX_BUSY: nginx responds with 502. A status would become 500 here.
local busy = -3

local M = {}

local function is_address(target)
    return target.address ~= nil
end

local function connect_to(target)
    local ok, problem = balancer.set_current_peer(target.host, target.port)
    if not ok then
        ngx.log(ngx.ERR, problem)
        return ngx.exit(busy)
    end
end

--- Ends a try that failed: its server comes last for a while.
local function end_try(name)
    route_choice.mark_down(name)
    route_choice.finish(name)
    ngx.var.monohull_target = ""
end

--- Connects to one of several servers; on the next try, to another.
local function connect_to_one(route)
    local tried = ngx.ctx.monohull_tried
    if tried then
        end_try(tried.last)
    else
        tried = { names = {}, count = 0 }
        ngx.ctx.monohull_tried = tried
    end
    local target = route_choice.choose(route, tried.names, is_address)
    -- a request that takes too long would do so anywhere
    local is_late = route.read and tried.count > 0
        and (ngx.now() - ngx.req.start_time()) * 1000 + tolerance_ms >= route.read
    if not target or is_late then return ngx.exit(busy) end
    tried.names[target.name], tried.last, tried.count = true, target.name, tried.count + 1
    if tried.count == 1 then balancer.set_more_tries(math.min(#route.targets, most_tries) - 1) end
    if route.read then balancer.set_timeouts(nil, nil, route.read / 1000) end
    if ngx.var.monohull_target then
        ngx.var.monohull_target = target.name
        route_choice.begin(target.name)
    end
    route_choice.keep(route, target)
    return connect_to(target)
end

--- Balancer phase: connects to an address of the route whose text is in `$monohull_address`.
function M.connect()
    local route = route_text.read(ngx.var.monohull_address)
    if route.address then return connect_to(route.targets[1]) end
    return connect_to_one(route)
end

--- Ends the last try of a request.
function M.end_last()
    local name = ngx.var.monohull_target or ""
    if name == "" then return end
    local status = (ngx.var.upstream_status or ""):match("%d+$")
    local has_head = (ngx.var.upstream_header_time or ""):find("%d$")
    if not has_head and (status == "502" or status == "504") then route_choice.mark_down(name) end
    route_choice.finish(name)
end

--- Log phase of a request to one of several addresses.
function M.log()
    M.end_last()
    if ngx.shared.monohull_counts then require("monohull.requests").finish() end
end

return M
