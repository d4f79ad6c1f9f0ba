--- Seconds that the workers of each app took to respond, for scaling by load (`app.workers`).
-- For an app that sleeps, also the time of its last use: docs/decisions/095-sleep-in-the-socket.md.
-- All nginx workers count in one shared dictionary: docs/decisions/018-scaling-by-load.md.
local counters = ngx.shared.monohull_busy

local M = {}

--- Log phase of a request to an app: adds the time of all its tries.
-- @param sleeps set if the app sleeps while nobody uses it. A response from the cache is no use.
function M.count(app, sleeps)
    local is_used = false
    for seconds in (ngx.var.upstream_response_time or ""):gmatch("[%d.]+") do
        counters:incr(app, tonumber(seconds) or 0, 0)
        is_used = true
    end
    if sleeps and is_used then counters:set("!" .. app, ngx.now()) end
end

--- Content of the counters' socket: a line for each app, `app 12.345`, and the seconds since its last use,
-- `!app 67.890`.
function M.report()
    for _, app in ipairs(counters:get_keys()) do
        local value = counters:get(app)
        ngx.say(app, " ", app:sub(1, 1) == "!" and math.max(0, ngx.now() - value) or value)
    end
end

return M
