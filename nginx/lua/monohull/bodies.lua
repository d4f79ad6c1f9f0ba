--- Size of all request bodies that nginx stores at the same time, where temporary files are in memory.
-- A body is counted from the end of the request's head until nginx has freed the request and Lua its context:
-- docs/decisions/041-temporary-files-by-medium.md.
local shares = ngx.shared.monohull_bodies

local note_seconds = 60
local collection_seconds = 0.1
local tick_seconds = 1

--- Bytes that this nginx worker has reserved.
local reserved = 0
local next_collection = 0
local next_note, next_tick = 0, 0

local M = {}

--- Bytes to reserve for the body of this request. One without a length may be as large as the route accepts.
local function size_of_body(max_body)
    local length = tonumber(ngx.var.content_length)
    if length then return length end
    if ngx.var.http_transfer_encoding then return max_body end
    if ngx.req.http_version() < 2 then return 0 end
    local method = ngx.var.request_method
    if method ~= "GET" and method ~= "HEAD" then return max_body end
    -- HTTP/2 allows a body without any header; for these methods it has no meaning
    ngx.req.discard_body()
    return 0
end

--- Bytes that other nginx workers have reserved. Those of a worker that was killed do not count.
local function reserved_by_others()
    local sum = 0
    for _, pid in ipairs(shares:get_keys()) do
        if tonumber(pid) ~= ngx.worker.pid() then
            local process = io.open("/proc/" .. pid .. "/stat")
            if process then
                process:close()
                sum = sum + (shares:get(pid) or 0)
            else
                shares:delete(pid)
            end
        end
    end
    return sum
end

--- Ties the room to the context of the request.
local function hold(size)
    local token = newproxy(true)
    getmetatable(token).__gc = function()
        reserved = reserved - size
    end
    reserved = reserved + size
    ngx.ctx.monohull_body = token
end

--- Frees the contexts of requests that have ended, at most ten times a second.
local function collect()
    local now = ngx.now()
    if now < next_collection then return end
    next_collection = now + collection_seconds
    collectgarbage()
end

--- Whether a body fits into the room that is left.
local function fits(size, total)
    if reserved_by_others() + reserved + size <= total then return true end
    collect()
    return reserved_by_others() + reserved + size <= total
end

--- Shows the other workers what this one has reserved.
local function publish()
    shares:set(tostring(ngx.worker.pid()), reserved)
end

--- Log line about refused requests, at most once a minute from each nginx worker.
local function note(size, total)
    local now = ngx.now()
    if now < next_note then return end
    next_note = now + note_seconds
    ngx.log(ngx.ERR, "cannot store a request body of ", size, " bytes: bodies share ", total,
        " bytes because temporary files are in memory; the client gets 503. Set temp_dir to a directory on a disk, ",
        "or request_buffering: off for the route")
end

--- Access phase: reserves room for the request's body, or responds with 503.
-- `buffered`: size of a body that needs no file.
function M.reserve(total, max_body, buffered)
    total = tonumber(total)
    local size = size_of_body(tonumber(max_body))
    if size <= tonumber(buffered) or ngx.ctx.monohull_body then return end
    if not fits(size, total) then
        note(size, total)
        return ngx.exit(ngx.HTTP_SERVICE_UNAVAILABLE)
    end
    hold(size)
    publish()
end

--- Releases the room of requests that have ended, even if no request follows. Called several times a second.
function M.tick()
    if reserved == 0 or ngx.now() < next_tick then return end
    next_tick = ngx.now() + tick_seconds
    collect()
    publish()
end

return M
