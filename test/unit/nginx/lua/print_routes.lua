--- Prints how route_text reads each line of the input: its targets and settings as pairs of words, or `nothing`.
-- Usage: lua5.1 print_routes.lua DIRECTORY_OF_MODULES
package.path = arg[1] .. "/?.lua;" .. package.path
ngx = { crc32_long = function() return 0 end, decode_base64 = function(text) return text end }

local route_text = require "monohull.route_text"

for line in io.lines() do
    local route = route_text.read(line)
    local words = {}
    for _, target in ipairs(route and route.targets or {}) do
        table.insert(words, (target.address or target.name) .. "*" .. target.weight)
    end
    for _, key in ipairs(route and { "is_sticky", "body", "read", "users" } or {}) do
        if route[key] then table.insert(words, key .. "=" .. tostring(route[key])) end
    end
    print(route and table.concat(words, " ") or "nothing")
end
