--- Seconds that the workers of each app took to respond, for scaling by load (`app.workers`).
-- All nginx workers count in one shared dictionary: docs/decisions/018-scaling-by-load.md.
local counters = ngx.shared.monohull_busy

local M = {}

--- Log phase of a request to an app: adds the time of all its tries.
function M.count(app)
    for seconds in (ngx.var.upstream_response_time or ""):gmatch("[%d.]+") do
        counters:incr(app, tonumber(seconds) or 0, 0)
    end
end

--- Content of the counters' socket: a line for each app, `app 12.345`.
function M.report()
    for _, app in ipairs(counters:get_keys()) do
        ngx.say(app, " ", counters:get(app))
    end
end

return M
