local expect = require "expect"

local socket = "unix:/run/routes.sock"
local settings = "unknown 403 stale 600 body 1000"
local places = { "app:web @web", "upstream:old @old upstream:older @older" }

local function route(nginx, host)
    nginx.var.host = host
    return nginx.run(require("monohull.routes").route, socket, settings, unpack(places))
end

local function respond(nginx, status, text)
    nginx.respond = function() return ("HTTP/1.1 %d X\r\nA: b\r\n\r\n%s"):format(status, text) end
end

return {
    { "goes to the location for the target of a known host, without a question", function(nginx)
        local known = require "monohull.known_hosts"
        for text in table.concat(places, " "):gmatch("%S+ %S+") do
            local target, location = text:match("(%S+) (%S+)")
            known.set_route("a.test", target)
            expect(route(nginx, "a.test"), { exec = location })
        end
        expect(nginx.requests, {})
    end },
    { "goes to an address", function(nginx)
        for _, address in ipairs({ "10.0.0.2:5000", "[2001:db8::2]:5000" }) do
            require("monohull.known_hosts").set_route("a.test", "address:" .. address)
            expect(route(nginx, "a.test"), {})
            expect(nginx.var.monohull_address, "address:" .. address)
        end
    end },
    { "responds 503 for a target that is gone, and for what is not an address", function(nginx)
        for _, target in ipairs({
            "app:gone", "address:evil.test:80", "address:10.0.0.2", "address:[::1]", "address:[fe80::1%eth0]:80",
            "address:10.0.0.2:80x", "xaddress:10.0.0.2:80", "address:unix:/x:80", "none",
            "app:gone*2,upstream:gone",
        }) do
            require("monohull.known_hosts").set_route("a.test", target)
            expect(route(nginx, "a.test"), { exit = 503 })
        end
    end },
    { "refuses what is not a host name without a question", function(nginx)
        for _, host in ipairs({
            "A.test", "a b", "-a.test", ".a", "a/b", "/a", "[::1]", "é.test", ("a"):rep(64), ("a"):rep(64) .. ".test",
            "a-.test", "a.-b.test", "a..test", ("abcdef."):rep(36) .. "ab",
        }) do
            expect(route(nginx, host), { exit = 400 })
        end
        expect(nginx.requests, {})
    end },
    { "refuses a port that does not exist, also for a known host", function(nginx)
        require("monohull.known_hosts").set_route("a.test", "app:web")
        for _, port in ipairs({ "99999", "abc", "80x", "-1", "65536", "080080", " 80" }) do
            nginx.var.http_host = "a.test:" .. port
            expect(route(nginx, "a.test"), { exit = 400 })
        end
        for _, named in ipairs({ "a.test", "A.test", "a.test:", "a.test:80", "A.test.:65535" }) do
            nginx.var.http_host = named
            expect(route(nginx, "a.test"), { exec = "@web" })
        end
    end },
    { "asks about other hosts", function(nginx)
        respond(nginx, 200, "7 app:web")
        local long = { ("a"):rep(63) .. ".test", ("abcdef."):rep(36) .. "a" }
        for _, host in ipairs({ "_a.test", "a-b.test", "0.test", unpack(long) }) do
            expect(route(nginx, host), { exec = "@web" })
            expect(nginx.requests[#nginx.requests], "GET /" .. host .. " HTTP/1.0\r\n\r\n")
        end
        expect({ nginx.connections[1], nginx.time }, { socket, 1000 })
        expect(nginx.timeouts, { 1000, 1000, 2000 })
    end },
    { "refuses a host that the supervisor does not know, and asks again after ten seconds", function(nginx)
        respond(nginx, 404, "7 ")
        expect(route(nginx, "a.test"), { exit = 403 })
        nginx.time = 1009.9
        expect(route(nginx, "a.test"), { exit = 403 })
        expect(#nginx.requests, 1)
        nginx.time = 1010
        respond(nginx, 200, "7 app:web")
        expect(route(nginx, "a.test"), { exec = "@web" })
    end },
    { "responds 503 after two seconds without a response", function(nginx)
        nginx.refused = math.huge
        expect(route(nginx, "a.test"), { exit = 503 })
        expect(nginx.time > 1002 and nginx.time < 1002.1, true)
    end },
    { "responds 503 at once if the supervisor cannot read the store, or serves what it knew", function(nginx)
        respond(nginx, 503, "")
        expect({ route(nginx, "a.test"), #nginx.requests, nginx.time }, { { exit = 503 }, 1, 1000 })
        expect({ route(nginx, "a.test"), #nginx.requests, nginx.time }, { { exit = 503 }, 2, 1000 })
        require("monohull.known_hosts").set_route("a.test", "app:web")
        require("monohull.known_hosts").change_all()
        expect({ route(nginx, "a.test"), nginx.time }, { { exec = "@web" }, 1000 })
    end },
    { "takes only complete responses", function(nginx)
        for _, response in ipairs({
            "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\napp:web",
            "HTTP/1.1 200 OK\r\n\r\n7 app:web x",
            "HTTP/1.1 200 OK\r\n\r\n7 app:web *.test y", "HTTP/1.1 404 X\r\n\r\nx",
            "HTTP/1.1 500 X\r\n\r\n7 app:web", "200\r\n\r\n7 app:web",
            "X-HTTP/1.1 200 OK\r\n\r\n7 app:web",
        }) do
            nginx.respond = function() return response end
            expect(route(nginx, "a.test"), { exit = 503 })
        end
    end },
    { "serves a stale target at once, and asks beside it, once in five seconds", function(nginx)
        require("monohull.known_hosts").set_route("a.test", "app:web")
        nginx.time = 1030
        expect({ route(nginx, "a.test"), #nginx.timers }, { { exec = "@web" }, 0 })
        nginx.time = 1031
        expect({ route(nginx, "a.test"), #nginx.timers }, { { exec = "@web" }, 1 })
        nginx.time = 1035.9
        expect({ route(nginx, "a.test"), #nginx.timers }, { { exec = "@web" }, 1 })
        nginx.time = 1036
        expect({ route(nginx, "a.test"), #nginx.timers }, { { exec = "@web" }, 2 })
        expect(nginx.requests, {})
        respond(nginx, 200, "7 upstream:old")
        local timer = nginx.timers[1]
        timer[1](false, unpack(timer, 2))
        expect(nginx.requests, { "GET /a.test HTTP/1.0\r\n\r\n" })
        expect(route(nginx, "a.test"), { exec = "@old" })
    end },
    { "keeps a stale target without a response, for ten minutes", function(nginx)
        require("monohull.known_hosts").set_route("a.test", "app:web")
        nginx.refused = math.huge
        nginx.time = 1599
        expect(route(nginx, "a.test"), { exec = "@web" })
        local timer = nginx.timers[1]
        timer[1](false, unpack(timer, 2))
        expect(route(nginx, "a.test"), { exec = "@web" })
        nginx.time = 1606
        expect(route(nginx, "a.test"), { exit = 503 })
    end },
    { "drops a response that is older than the latest changes, and asks again", function(nginx)
        for _, status in ipairs({ 200, 404 }) do
            nginx.requests = {}
            nginx.respond = function()
                require("monohull.known_hosts").set_version(8)
                respond(nginx, 200, "8 upstream:old")
                return ("HTTP/1.1 %d X\r\n\r\n7 app:web"):format(status)
            end
            local host = status .. ".test"
            expect(route(nginx, host), { exec = "@old" })
            expect(#nginx.requests, 2)
        end
    end },
    { "asks about a host whose answer is due, and keeps the old one without a response", function(nginx)
        local known = require "monohull.known_hosts"
        known.set_route("a.test", "app:web")
        known.change_all()
        nginx.refused = math.huge
        expect(route(nginx, "a.test"), { exec = "@web" })
        nginx.refused = 0
        respond(nginx, 200, "7 upstream:old")
        expect({ route(nginx, "a.test"), #nginx.requests }, { { exec = "@old" }, 1 })
        expect({ route(nginx, "a.test"), #nginx.requests }, { { exec = "@old" }, 1 })
    end },
    { "remembers the wildcard of a host", function(nginx)
        respond(nginx, 200, "7 app:web *.test")
        for _ = 1, 2 do expect(route(nginx, "a.test"), { exec = "@web" }) end
        expect(#nginx.requests, 1)
        expect(nginx.routes.get_keys(), { "*.test" })
    end },
    { "asks about two hundred unknown hosts in a second, and refuses others without waiting", function(nginx)
        respond(nginx, 404, "7")
        for count = 1, 200 do expect(route(nginx, count .. ".test"), { exit = 403 }) end
        expect({ route(nginx, "x.test"), #nginx.requests, nginx.time }, { { exit = 503 }, 200, 1000 })
        expect(route(nginx, "7.test"), { exit = 403 })
    end },
    { "responds to an unknown host as configured", function(nginx)
        for unknown, ended in pairs({
            ["404"] = { exit = 404 }, ["444"] = { exit = 444 }, page = { exec = "/.monohull/unknown-host.html" },
        }) do
            package.loaded["monohull.routes"] = nil
            nginx.var.request_method, nginx.var.monohull_page_type = "POST", "html"
            require("monohull.known_hosts").set_unknown("a.test")
            nginx.var.host = "a.test"
            local text = "unknown " .. unknown .. " stale 600 body 0"
            expect(nginx.run(require("monohull.routes").route, socket, text), ended)
        end
        expect(nginx.method, ngx.HTTP_GET)
    end },
    { "limits bodies by the route, else by the front; of unknown length only the front's limit, or 411", function(nginx)
        local known = require "monohull.known_hosts"
        local large, small, off = "app:web;body=2000", "app:web;body=100", "app:web;body=0"
        nginx.var.request_method, nginx.var.monohull_page_type = "POST", "json"
        for _, case in ipairs({
            { "app:web", 1000, "@web" }, { "app:web", 1001, 413 }, { "address:10.0.0.2:80", 1001, 413 },
            { large, 2000, "@web" }, { large, 2001, "/.monohull/route-too-large.json" },
            { small, 100, "@web" }, { small, 101, "/.monohull/route-too-large.json" }, { off, 9e9, "@web" },
            { small, "chunked", 411 }, { large, "chunked", "@web" }, { off, "chunked", "@web" },
            { "app:web", "chunked", "@web" }, { "address:10.0.0.2:80", "chunked", "@monohull_address" },
        }) do
            local text, length, ended = case[1], case[2], case[3]
            known.set_route("a.test", text)
            nginx.var.http_content_length = tonumber(length) and ("%.0f"):format(length)
            nginx.var.http_transfer_encoding = length == "chunked" and "chunked" or nil
            expect(route(nginx, "a.test"), { [type(ended) == "number" and "exit" or "exec"] = ended })
        end
        nginx.var.http_content_length, nginx.http_version, nginx.var.http_transfer_encoding = nil, 2, nil
        known.set_route("a.test", small)
        expect(route(nginx, "a.test"), { exit = 411 })
        nginx.var.request_method = "GET"
        expect(route(nginx, "a.test"), { exec = "@web" })
    end },
    { "asks for a password of the route, and keeps it from the app", function(nginx)
        require("monohull.known_hosts").set_route("a.test", "app:web;users=lines")
        local has_password = false
        package.loaded["monohull.passwords"] = {
            accepts = function(users) return users == "lines" and has_password end,
        }
        nginx.var.monohull_realm = "Front"
        expect(route(nginx, "a.test"), { exit = 401 })
        expect(ngx.header, { ["WWW-Authenticate"] = 'Basic realm="Restricted"' })
        has_password = true
        expect({ route(nginx, "a.test"), nginx.cleared }, { { exec = "@web" }, "Authorization" })
        expect(nginx.var.monohull_realm, "off")
        package.loaded["monohull.passwords"] = nil
    end },
    { "goes to one of several targets by their weights, and not to one that is gone", function(nginx)
        require("monohull.known_hosts").set_route("a.test", "app:web*3,upstream:old,app:gone*90")
        for share, location in pairs({ [0] = "@web", [0.74] = "@web", [0.76] = "@old", [0.99] = "@old" }) do
            nginx.chance = share
            expect(route(nginx, "a.test"), { exec = location })
        end
    end },
    { "leaves the choice among addresses to the balancer", function(nginx)
        local text = "address:10.0.0.2:80,address:10.0.0.3:80"
        require("monohull.known_hosts").set_route("a.test", text)
        expect(route(nginx, "a.test"), { exec = "@monohull_addresses" })
        expect(nginx.var.monohull_address, text)
    end },
    { "has a hundred questions open at most", function(nginx)
        local results, deepest = {}, 0
        nginx.respond = function()
            deepest = deepest + 1
            results[deepest] = route(nginx, ("host-%d.test"):format(deepest))
            return "HTTP/1.1 200 X\r\n\r\n7 app:web"
        end
        expect(route(nginx, "host-0.test"), { exec = "@web" })
        expect(deepest, 100)
        expect({ results[99], results[100] }, { { exec = "@web" }, { exit = 503 } })
        -- and all are closed again
        respond(nginx, 200, "7 app:web")
        expect(route(nginx, "later.test"), { exec = "@web" })
    end },
    { "waits for the question of another request", function(nginx)
        local known = require "monohull.known_hosts"
        known.reserve("a.test", 3)
        nginx.on_sleep = function()
            if nginx.time > 1000.1 then known.set_route("a.test", "app:web") end
        end
        expect(route(nginx, "a.test"), { exec = "@web" })
        expect(nginx.requests, {})
    end },
    { "asks when the other request got nothing", function(nginx)
        local known = require "monohull.known_hosts"
        known.reserve("a.test", 3)
        nginx.on_sleep = function() known.release("a.test") end
        respond(nginx, 200, "7 app:web")
        expect(route(nginx, "a.test"), { exec = "@web" })
        expect(#nginx.requests, 1)
        expect(known.reserve("a.test", 3), true)
    end },
}
