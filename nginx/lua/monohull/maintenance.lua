--- Maintenance: which clients are let in. docs/decisions/082-maintenance-by-a-file.md
--- The file is read again after this time.
local fresh_seconds = 0.1

--- Networks that are let in, by the number of bits of their addresses, and when they expire.
local prefixes, expires = {}, 0

local M = {}

local function read(path)
    local found = {}
    local file = io.open(path)
    if not file then return found end
    for width, prefix in file:read("*a"):gmatch("(%d+) ([01]*)\n") do
        table.insert(found, { width = tonumber(width), prefix = prefix })
    end
    file:close()
    return found
end

--- The address as a text of 32 or 128 binary digits.
local function to_bits(address)
    local bits = {}
    for index = 1, #address do
        local byte = address:byte(index)
        for power = 7, 0, -1 do
            table.insert(bits, math.floor(byte / 2 ^ power) % 2)
        end
    end
    return table.concat(bits)
end

--- "1" unless the path stays open or the client is let in. For a path that stays open, a map of nginx gives no file.
function M.is_closed(path)
    -- its request was let in
    if ngx.is_subrequest then return "" end
    if ngx.var.monohull_maintenance_switch == "" then return "" end
    local now = ngx.now()
    if now >= expires then prefixes, expires = read(path), now + fresh_seconds end
    if #prefixes == 0 then return "1" end
    local bits = to_bits(ngx.var.binary_remote_addr)
    for _, network in ipairs(prefixes) do
        if #bits == network.width and bits:sub(1, #network.prefix) == network.prefix then return "" end
    end
    return "1"
end

return M
