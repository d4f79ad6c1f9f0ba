--- Requests to dynamic hosts (`dynamic_routes`): docs/decisions/030-dynamic-routes.md.
local known_hosts = require "monohull.known_hosts"
local route_pages = require "monohull.route_pages"
local route_questions = require "monohull.route_questions"
local route_text = require "monohull.route_text"

--- Locations by target, and settings, read on the first request; the same for every request.
local locations, settings

local M = {}

--- Whether a host can have a route.
local function is_host_name(host)
    for label in (host .. "."):gmatch("([^.]*)%.") do
        if #label > 63 or label:find("^%-") or not label:find("^[a-z0-9_-]*[a-z0-9_]$") then return false end
    end
    return #host <= 253
end

--- Whether the client names no port beside the host, or one that exists. nginx ignores it.
local function has_valid_port(host)
    local named = ngx.var.http_host
    if not named or named == host then return true end
    local port = named:match(":([^%]]*)$") or ""
    return port == "" or (#port <= 5 and port:find("^%d+$") ~= nil and tonumber(port) <= 65535)
end

--- Values by key, from texts with pairs of words.
local function read_pairs(...)
    local found = {}
    for _, text in ipairs({ ... }) do
        for key, value in text:gmatch("(%S+) (%S+)") do
            found[key] = value
        end
    end
    return found
end

--- Responds to a request for a host without a route.
local function refuse_unknown()
    if settings.unknown == "page" then return route_pages.show("unknown-host") end
    return ngx.exit(tonumber(settings.unknown))
end

--- Length of the body; nil if it is unknown, also where there may be none.
local function body_length()
    local length = ngx.var.http_content_length
    if length then return tonumber(length) end
    if ngx.req.http_version() < 2 and not ngx.var.http_transfer_encoding then return 0 end
end

--- Status for a request whose body is too large. With a limit below that of the whole front, a body of unknown length
-- is refused too: nginx would not stop it in time.
local function refuse_body(length, limit)
    local most, front = limit or settings.body, settings.body
    if length then return most > 0 and length > most and 413 end
    local is_lower = limit and limit > 0 and (front == 0 or limit < front)
    return is_lower and (ngx.req.http_version() < 2 or not ngx.var.request_method:find("^[GHO]")) and 411
end

--- Checks the settings of a route. Ends the request if they do not allow it.
local function admit(route)
    if route.users then
        if not require("monohull.passwords").accepts(route.users) then
            ngx.header["WWW-Authenticate"] = 'Basic realm="Restricted"'
            return ngx.exit(401)
        end
        ngx.req.clear_header("Authorization")
        if ngx.var.monohull_realm then ngx.var.monohull_realm = "off" end
    end
end

--- Goes to the location for one of the targets of a route.
local function enter(route, text)
    local route_choice = require "monohull.route_choice"
    local target = route_choice.choose(route, {}, function(each) return each.address or locations[each.name] end)
    if not target then return ngx.exit(503) end
    if target.address then
        -- the balancer chooses among all addresses
        ngx.var.monohull_address = text
        return ngx.exec("@monohull_addresses")
    end
    route_choice.keep(route, target)
    return ngx.exec(locations[target.name])
end

--- The route of a host. Asks about it if nothing is known; ends the request of a host without one.
local function find_route(ask_socket, host)
    if not has_valid_port(host) then return ngx.exit(400) end
    local stale_seconds = settings.stale
    local text, value = known_hosts.find(host, stale_seconds)
    if value == "fresh" then return text end
    if value == "unknown" then return refuse_unknown() end
    if value == "stale" then
        route_questions.refresh(ask_socket, host)
        return text
    end
    if not is_host_name(host) then return ngx.exit(400) end
    text, value = route_questions.wait(ask_socket, host, stale_seconds)
    if text then return text end
    if value == "unknown" then return refuse_unknown() end
    return ngx.exit(503)
end

--- Rewrite phase of a dynamic host: goes to the location for its target. An address is proxied to where this is called.
-- 400 for what is not a host name; 503 without an answer, or for a target that is gone.
-- @param ask_socket `unix:` and the path of the socket that the supervisor responds at
-- @param settings_text pairs: `unknown 403 stale 600 body 10485760`
-- @param ... texts with pairs of a target and its location, `app:web @web upstream:old @old`
function M.route(ask_socket, settings_text, ...)
    if not locations then
        locations, settings = read_pairs(...), read_pairs(settings_text)
        settings.body, settings.stale = tonumber(settings.body), tonumber(settings.stale)
    end
    local text = find_route(ask_socket, ngx.var.host)
    local location = locations[text]
    local route = not location and route_text.read(text)
    local length = body_length()
    local refusal = refuse_body(length, route and route.body)
    -- the page of the whole front names its own limit
    if refusal == 413 and route and route.body then return route_pages.show("route-too-large") end
    if refusal then return ngx.exit(refusal) end
    if location then return ngx.exec(location) end
    if not route then return ngx.exit(503) end
    if route.address then
        ngx.var.monohull_address = text
        -- there, nginx limits bodies of unknown length
        return length == nil and ngx.exec("@monohull_address")
    end
    admit(route)
    return enter(route, text)
end

return M
