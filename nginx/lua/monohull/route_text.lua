--- Routes as the supervisor sends them: `address:10.0.0.2:80*2,app:web;sticky;body=1048576;read=300000;users=BASE64`.
-- The supervisor has checked them. They are checked again, since an address that nginx resolves could be any server.
local most_kept = 10000
local most_targets = 32

--- Routes by text, as read by this nginx worker.
local kept, count = {}, 0

local M = {}

--- The address in a target; nil when it is not a numeric one.
local function address_of(target)
    return target:match("^address:([%d.]+:%d+)$") or target:match("^address:(%[[%x:]+%]:%d+)$")
end

local function read_target(text)
    local name, weight = text:match("^([^*]+)%*([1-9]%d?%d?)$")
    name = name or text
    local address = address_of(name)
    if not address and not name:find("^app:[a-z0-9-]+$") and not name:find("^upstream:[^%s,;*:]+$") then return nil end
    local host, port = (address or ""):match("^(.*):(%d+)$")
    return {
        name = name,
        address = address,
        host = host,
        port = tonumber(port),
        weight = tonumber(weight) or 1,
        -- in the cookie of a visitor: it tells nobody the address
        id = ("%08x"):format(ngx.crc32_long(name)),
    }
end

local function read_targets(text)
    local targets = {}
    for part in (text .. ","):gmatch("([^,]*),") do
        local target = read_target(part)
        if not target or #targets == most_targets then return nil end
        table.insert(targets, target)
    end
    return targets
end

--- Sets what one setting means. Returns whether it is valid.
local function read_setting(route, text)
    local key, value = text:match("^(%a+)=?(.*)$")
    if key == "sticky" and value == "" then
        route.is_sticky = true
    elseif (key == "body" or key == "read") and value:find("^%d+$") then
        route[key] = tonumber(value)
    elseif key == "users" then
        route.users = ngx.decode_base64(value)
        return route.users ~= nil
    else
        return false
    end
    return true
end

local function read(text)
    local list, settings = text:match("^([^;]+)(.*)$")
    local targets = list and read_targets(list)
    if not targets then return nil end
    local route = { targets = targets }
    -- an address alone has nothing to choose or to check
    if #targets == 1 and settings == "" then route.address = targets[1].address end
    for setting in settings:gmatch(";([^;]*)") do
        if not read_setting(route, setting) then return nil end
    end
    return route
end

--- The route in a text: `targets`, `is_sticky`, `body` in bytes, `read` in ms, `users` as an htpasswd file; with
-- `address` if it is one address without settings. Nil if the text is invalid.
function M.read(text)
    local route = kept[text]
    if route == nil then
        if count == most_kept then kept, count = {}, 0 end
        route = read(text) or false
        kept[text], count = route, count + 1
    end
    return route or nil
end

return M
