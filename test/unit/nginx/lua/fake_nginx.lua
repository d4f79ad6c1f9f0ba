--- As much of nginx as the modules use. Time stands still but for what they wait.
local M = {}

local real_math = math

--- A shared dictionary whose entries expire.
local function new_dictionary(nginx)
    local entries = {}
    local dictionary = { entries = entries }

    function dictionary.get(_, key)
        local entry = entries[key]
        if not entry or (entry.ends and nginx.time >= entry.ends) then return nil end
        return entry.value, entry.flags
    end

    function dictionary.set(_, key, value, seconds, flags)
        local ends = seconds and seconds > 0 and nginx.time + seconds
        entries[key] = { value = value, ends = ends, seconds = seconds, flags = flags }
    end

    function dictionary.add(self, key, value, seconds)
        if self:get(key) ~= nil then return false, "exists" end
        self:set(key, value, seconds)
        return true
    end

    function dictionary.incr(self, key, by, first, seconds)
        self:set(key, (self:get(key) or first) + by, seconds)
    end

    function dictionary.delete(_, key)
        entries[key] = nil
    end

    function dictionary.get_keys()
        local keys = {}
        for key in pairs(entries) do table.insert(keys, key) end
        table.sort(keys)
        return keys
    end

    return dictionary
end

--- A client socket: `nginx.respond(request)` gives the response; nil for none. `nginx.refused` connections fail first.
local function new_socket(nginx)
    local socket, request = {}, nil

    function socket.settimeouts(_, ...) nginx.timeouts = { ... } end

    function socket.connect(_, address)
        table.insert(nginx.connections, address)
        if nginx.refused > 0 then
            nginx.refused = nginx.refused - 1
            return nil, "connection refused"
        end
        return 1
    end

    function socket.send(_, text)
        request = text
        table.insert(nginx.requests, text)
        return #text
    end

    function socket.receive() return nginx.respond(request) end

    function socket.close() end

    return socket
end

--- Certificates and keys: texts that contain these words.
local function new_ssl(nginx)
    return {
        server_name = function() return nginx.server_name end,
        raw_client_addr = function() return nginx.client[1], nginx.client[2] end,
        parse_pem_cert = function(text) return text:match("CHAIN%w*") end,
        parse_pem_priv_key = function(text) return text:match("KEY%w*") end,
        clear_certs = function() nginx.served = {} end,
        set_cert = function(chain) nginx.served.chain = chain return true end,
        set_priv_key = function(key) nginx.served.key = key return nginx.takes_keys end,
    }
end

local function new_lrucache(nginx)
    return {
        new = function(size)
            nginx.cache_size = size
            return new_dictionary(nginx)
        end,
    }
end

--- Makes `io.open` read `nginx.files` for the directories /certificates and /proc, and find every
-- socket unless `nginx.sockets` denies it.
local function fake_files(nginx)
    local open = io.open
    local function fake_open(path, ...)
        -- open(2) of a socket fails with ENXIO, or ENOENT if there is none
        if path:find("%.sock$") then return nil, path, nginx.sockets[path] == false and 2 or 6 end
        if not path:find("^/certificates/") and not path:find("^/proc/") then return open(path, ...) end
        table.insert(nginx.opened, path)
        local text = nginx.files[path]
        return text and { read = function() return text end, close = function() end }
    end
    return setmetatable({ open = fake_open }, { __index = io })
end

--- A fresh nginx worker: the global `ngx`, and no module loaded.
-- `run(f)` calls a function until it ends the request, and returns how: `{ exit = 403 }`, `{ exec = "@web" }` or `{}`.
function M.new()
    local nginx = {
        time = 1000, started = 1000, chance = 0, http_version = 1.1, client = { "\10\0\0\1", "inet" },
        refused = 0, takes_keys = true, var = {}, files = {}, sockets = {},
        connections = {}, requests = {}, timers = {}, opened = {}, logged = {}, output = "",
        on_sleep = function() end, respond = function() end,
    }
    for _, name in ipairs({ "routes", "others", "state", "asked", "busy" }) do nginx[name] = new_dictionary(nginx) end
    function nginx.new_dictionary() return new_dictionary(nginx) end

    nginx.bodies, nginx.discarded = new_dictionary(nginx), 0
    ngx = {
        ERROR = -1,
        ERR = 4,
        var = nginx.var,
        HTTP_SERVICE_UNAVAILABLE = 503,
        HTTP_GET = 2,
        escape_uri = function(text)
            return (text:gsub("[^%w]", function(character) return ("%%%02X"):format(character:byte()) end))
        end,
        ctx = {},
        header = {},
        crc32_long = function(text) return #text end,
        -- the text itself
        decode_base64 = function(text) return text end,
        worker = { pid = function() return 7 end },
        shared = {
            monohull_routes = nginx.routes,
            monohull_other_hosts = nginx.others,
            monohull_route_state = nginx.state,
            monohull_asked = nginx.asked,
            monohull_busy = nginx.busy,
            monohull_bodies = nginx.bodies,
        },
        time = function() return math.floor(nginx.time) end,
        now = function() return nginx.time end,
        sleep = function(seconds)
            nginx.time = nginx.time + seconds
            nginx.on_sleep()
        end,
        timer = { at = function(_, ...) table.insert(nginx.timers, { ... }) end },
        socket = { tcp = function() return new_socket(nginx) end },
        req = {
            read_body = function() end,
            get_body_data = function() return nginx.body end,
            http_version = function() return nginx.http_version end,
            start_time = function() return nginx.started end,
            clear_header = function(name) nginx.cleared = name end,
            set_method = function(method) nginx.method = method end,
            discard_body = function() nginx.discarded = nginx.discarded + 1 end,
        },
        print = function(...) nginx.output = nginx.output .. table.concat({ ... }) end,
        say = function(...) nginx.output = nginx.output .. table.concat({ ... }) .. "\n" end,
        log = function(_, ...) table.insert(nginx.logged, table.concat({ ... })) end,
        exit = function(status) error({ exit = status }, 0) end,
        exec = function(location) error({ exec = location }, 0) end,
    }
    for name in pairs(package.loaded) do
        if name:find("^monohull%.") then package.loaded[name] = nil end
    end
    package.loaded["ngx.ssl"] = new_ssl(nginx)
    package.loaded["resty.lrucache"] = new_lrucache(nginx)
    package.loaded["ngx.balancer"] = {
        set_current_peer = function(address, port)
            nginx.peer = { address, port }
            return nginx.refused == 0, "no such peer"
        end,
        set_more_tries = function(count) nginx.more_tries = count end,
        set_timeouts = function(_, _, read) nginx.read_timeout = read end,
    }
    io = fake_files(nginx)
    math = setmetatable({ random = function() return nginx.chance end }, { __index = real_math })

    function nginx.run(f, ...)
        local ok, ended = pcall(f, ...)
        if ok then return {} end
        if type(ended) ~= "table" then error(ended, 0) end
        return ended
    end

    return nginx
end

return M
