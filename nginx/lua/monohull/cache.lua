--- Rules of HTTP caches (RFC 9111) that nginx lacks: docs/decisions/038-rules-of-the-cache-in-lua.md.
-- The shared dictionary has an entry for the keys that need one: `VERSION TIME TIME`. The version is part of nginx's
-- key: a new one makes all stored responses of the key unreachable. The times are those of the stored response: until
-- when it may be used, and since when it is stored. `-` stands for none.
local entries = ngx.shared.monohull_cached

--- Key of the version of all keys: no URL begins with a space. It changes when the full dictionary has lost an entry.
local all_keys = " all"
local safe_methods = {
    GET = true, HEAD = true, OPTIONS = true, TRACE = true, PROPFIND = true, REPORT = true, SEARCH = true,
}
--- Directives against the use of stale responses.
local strict_directives = { "must-revalidate", "proxy-revalidate", "no-cache", "s-maxage" }
--- Statuses whose caching rules nginx implements, for `must-understand`.
local understood = {}
for _, status in ipairs { 200, 203, 204, 300, 301, 302, 307, 308, 404, 405, 410, 414, 501 } do
    understood[status] = true
end

local M = {}

--- Value of a response header; several are joined.
local function header(name)
    local value = ngx.header[name]
    return type(value) == "table" and table.concat(value, ", ") or value
end

--- Version, end of freshness and time of storage of a key.
local function read_entry(key)
    local version, fresh_until, stored = (entries:get(key) or ""):match("^(%S+) (%S+) (%S+)$")
    return version or "-", tonumber(fresh_until), tonumber(stored)
end

local function format_entry(version, fresh_until, stored)
    return version .. " " .. (fresh_until or "-") .. " " .. (stored or "-")
end

--- Directives of Cache-Control by name, in lower case; those without a value are true.
local function read_directives(text)
    local found = {}
    for part in (text or ""):lower():gmatch("[^,]+") do
        local name, value = part:match("^%s*([%w-]+)%s*=?%s*\"?([^\"]*)")
        if name then found[name] = tonumber(value) or true end
    end
    return found
end

local function is_strict(directives)
    for _, name in ipairs(strict_directives) do
        if directives[name] then return true end
    end
    return false
end

--- Seconds of an Age header; nil if it is not a number.
local function parse_age(text)
    if not text then return 0 end
    return text:find("^%d+$") and tonumber(text) or nil
end

--- Seconds for which a response is fresh, as its headers say; nil if they say nothing, 0 for a date that is not valid.
local function lifetime_of(directives)
    local seconds = directives["s-maxage"] or directives["max-age"]
    if seconds then return tonumber(seconds) or 0 end
    local expires = header("Expires")
    if not expires then return nil end
    local ends = expires:find(" GMT$") and ngx.parse_http_time(expires)
    local date = ngx.parse_http_time(header("Date") or "") or ngx.time()
    return ends and ends - date or 0
end

--- Whether Vary names the member `*`.
local function varies_always()
    for member in (header("Vary") or ""):gmatch("[^,%s]+") do
        if member == "*" then return true end
    end
    return false
end

--- Makes everything that is stored for a key unreachable.
local function invalidate(key, seconds)
    local _, _, lost = entries:set(key, format_entry(ngx.now(), nil, nil), seconds)
    if lost then entries:incr(all_keys, 1, 0) end
end

--- Key of another path on the same host; nil for another host, or if the key does not contain the path.
local function key_of(target)
    local key, uri, host = ngx.var.monohull_cache_key, ngx.var.request_uri, ngx.var.monohull_host
    local authority, path = target:match("^https?://([^/?#]*)([^#]*)")
    if authority and authority:lower() ~= host:lower() then return nil end
    path = path or target:match("^/[^#]*")
    local from, to = key:find(uri, 1, true)
    if not path or not from then return nil end
    return key:sub(1, from - 1) .. (path == "" and "/" or path) .. key:sub(to + 1)
end

--- Whether nginx may store a response. Keeps the times that nginx cannot keep.
local function may_store(seconds)
    if ngx.var.upstream_http_x_accel_expires then return true end
    local directives = read_directives(header("Cache-Control"))
    local age, lifetime = parse_age(header("Age")), lifetime_of(directives)
    if varies_always() or not age or (lifetime and lifetime <= age) then return false end
    if directives["must-understand"] and not understood[ngx.status] then return false end
    local key = ngx.var.monohull_cache_key
    local version, fresh_until = read_entry(key)
    if not lifetime or (age == 0 and not is_strict(directives)) then
        if fresh_until then entries:set(key, format_entry(version, nil, nil), seconds) end
        return true
    end
    local now = ngx.now()
    return entries:safe_set(key, format_entry(version, now + lifetime - age, now), lifetime + seconds) == true
end

--- Sends the age of a stored response.
local function send_age()
    local _, _, stored = read_entry(ngx.var.monohull_cache_key)
    local since = stored or ngx.parse_http_time(header("Date") or "") or ngx.time()
    ngx.header["Age"] = (parse_age(header("Age")) or 0) + math.max(0, ngx.time() - math.floor(since))
end

--- Removes the headers that the app named in Connection: they are for nginx alone.
local function drop_connection_headers()
    for name in (ngx.var.upstream_http_connection or ""):gmatch("[^,%s]+") do
        local word = name:lower()
        if word ~= "close" and word ~= "keep-alive" and word ~= "upgrade" then ngx.header[name] = nil end
    end
end

--- Rewrite phase: chooses nginx's key.
function M.choose()
    local key = ngx.var.monohull_cache_key
    local version, fresh_until = read_entry(key)
    local all = entries:get(all_keys)
    ngx.var.monohull_cache_version = (all and " " .. all or "") .. (version ~= "-" and " " .. version or "")
    if fresh_until and ngx.now() >= fresh_until then ngx.var.monohull_cache_expired = "1" end
    -- nginx compares both, but the date does not count beside a tag
    if ngx.var.http_if_none_match then ngx.req.clear_header("If-Modified-Since") end
end

--- Header filter phase.
-- @param seconds time after which nginx has removed a response that is not requested
function M.respond(seconds)
    if require("monohull.response").check() then return end
    -- a page of nginx, in place of a response
    if ngx.var.uri:find("^/%.monohull/") then return end
    seconds = tonumber(seconds)
    local method, status = ngx.req.get_method(), ngx.var.upstream_cache_status
    drop_connection_headers()
    if not safe_methods[method] then
        if ngx.status < 200 or ngx.status > 399 then return end
        invalidate(ngx.var.monohull_cache_key, seconds)
        for _, name in ipairs { "Location", "Content-Location" } do
            local key = key_of(header(name) or "")
            if key then invalidate(key, seconds) end
        end
    elseif status == "MISS" or status == "EXPIRED" or status == "BYPASS" then
        if not may_store(seconds) then ngx.var.monohull_cache_refused = "1" end
    elseif status then
        send_age()
    end
end

return M
