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

local function passes(path)
    local now = ngx.now()
    if now >= expires then is_open, expires = look(path), now + fresh_seconds end
    return is_open
end

--- Rewrite phase: reads a body that needs no file. nginx sees the end of a connection only behind a body that was read,
-- and only if that happened before the phase of the gate.
function M.read(path, most)
    local length = tonumber(ngx.var.content_length)
    if not length or length == 0 or length > tonumber(most) or ngx.req.http_version() >= 2 then return end
    if not passes(path) then ngx.req.read_body() end
end

--- Access phase: lets the request wait until the pause is over.
function M.wait(path)
    while not passes(path) do ngx.sleep(poll_seconds) end
end

return M
