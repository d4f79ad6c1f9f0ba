--- Comparisons of values and flat tables.
local function show(value)
    if type(value) == "string" then return ("%q"):format(value) end
    if type(value) ~= "table" then return tostring(value) end
    local parts = {}
    for key, part in pairs(value) do table.insert(parts, tostring(key) .. "=" .. show(part)) end
    table.sort(parts)
    return "{" .. table.concat(parts, ", ") .. "}"
end

--- Fails unless two values are the same, tables by what they contain.
return function(actual, expected)
    if show(actual) ~= show(expected) then
        error(("is %s, expected %s"):format(show(actual), show(expected)), 2)
    end
end
