--- Gate in front of apps and upstreams during a pause: docs/decisions/083-a-pause-waits-in-nginx.md
local poll_seconds = 0.1
--- The file is read again after this time.
local fresh_seconds = 0.02

--- Whether requests pass, and when that expires.
local is_open, expires = true, 0

local M = {}

--- The file contains the end of the pause, so that requests go on even if the supervisor is frozen.
local function look(path)
    local file = io.open(path)
    if not file then return true end
    local ends = tonumber(file:read("*a"))
    file:close()
    return ends == nil or ngx.now() >= ends
end

--- Access phase: lets the request wait until the pause is over.
function M.wait(path)
    while true do
        local now = ngx.now()
        if now >= expires then is_open, expires = look(path), now + fresh_seconds end
        if is_open then return end
        ngx.sleep(poll_seconds)
    end
end

return M
