--- Choice among the targets of a dynamic route: docs/decisions/070-several-targets-of-a-host.md.
local marks = ngx.shared.monohull_asked

--- How long a target that failed comes last.
local down_seconds = 10
local cookie = "monohull_target"

--- Requests of this nginx worker to each address. Not shared: those of a killed worker would count forever.
local active = {}

local M = {}

local function is_down(target)
    return marks:get("down " .. target.name)
end

--- One of some targets, by chance and their weights.
local function draw(targets)
    if #targets == 1 then return targets[1] end
    local total = 0
    for _, target in ipairs(targets) do total = total + target.weight end
    local rest = math.random() * total
    for _, target in ipairs(targets) do
        rest = rest - target.weight
        if rest < 0 then return target end
    end
    return targets[#targets]
end

--- Those targets with the fewest requests for their weight.
local function least_used(targets)
    local least, found = math.huge, {}
    for _, target in ipairs(targets) do
        local load = (active[target.name] or 0) / target.weight
        if load < least then least, found = load, {} end
        if load == least then table.insert(found, target) end
    end
    return found
end

--- Whether an app or upstream is among them, whose requests are counted elsewhere.
local function has_names(targets)
    for _, target in ipairs(targets) do
        if not target.address then return true end
    end
    return false
end

--- The target that a visitor has in the cookie; nil if it is not one of these.
local function kept_target(targets)
    local id = ngx.var["cookie_" .. cookie]
    for _, target in ipairs(id and targets or {}) do
        if target.id == id then return target end
    end
end

--- The target for the next try: the visitor's own, else one with few requests. Those that failed lately come last.
-- @param tried targets that this request was sent to, by name; they are not chosen again
-- @param is_possible optional, which targets count
function M.choose(route, tried, is_possible)
    local healthy, all = {}, {}
    for _, target in ipairs(route.targets) do
        if not tried[target.name] and (not is_possible or is_possible(target)) then
            table.insert(all, target)
            if not is_down(target) then table.insert(healthy, target) end
        end
    end
    local targets = #healthy > 0 and healthy or all
    if #targets == 0 then return nil end
    return route.is_sticky and kept_target(targets) or draw(has_names(targets) and targets or least_used(targets))
end

--- Has the visitor keep a target.
function M.keep(route, target)
    if not route.is_sticky or #route.targets == 1 or ngx.var["cookie_" .. cookie] == target.id then return end
    ngx.var.monohull_kept_target = cookie .. "=" .. target.id .. "; Path=/; HttpOnly; SameSite=Lax"
        .. (ngx.var.monohull_secure or "")
end

function M.mark_down(name)
    marks:set("down " .. name, true, down_seconds)
end

function M.begin(name)
    active[name] = (active[name] or 0) + 1
end

function M.finish(name)
    local count = (active[name] or 0) - 1
    active[name] = count > 0 and count or nil
end

return M
