local expect = require "expect"

local socket = "unix:/run/routes.sock"
local places = { "app:web @web", "upstream:old @old upstream:older @older" }

local function route(nginx, host)
    nginx.var.host = host
    return nginx.run(require("monohull.routes").route, socket, unpack(places))
end

local function respond(nginx, status, text)
    nginx.respond = function() return ("HTTP/1.1 %d X\r\nA: b\r\n\r\n%s"):format(status, text) end
end

return {
    { "goes to the location for the target of a known host, without a question", function(nginx)
        local known = require "monohull.known_hosts"
        for text in table.concat(places, " "):gmatch("%S+ %S+") do
            local target, location = text:match("(%S+) (%S+)")
            known.set_target("a.test", target)
            expect(route(nginx, "a.test"), { exec = location })
        end
        expect(nginx.requests, {})
    end },
    { "goes to an address", function(nginx)
        for _, address in ipairs({ "10.0.0.2:5000", "[2001:db8::2]:5000" }) do
            require("monohull.known_hosts").set_target("a.test", "address:" .. address)
            expect(route(nginx, "a.test"), { exec = "@monohull_address" })
            expect(nginx.var.monohull_address, address)
        end
    end },
    { "responds 503 for a target that is gone, and for what is not an address", function(nginx)
        for _, target in ipairs({
            "app:gone", "address:evil.test:80", "address:10.0.0.2", "address:[::1]", "address:[fe80::1%eth0]:80",
            "address:10.0.0.2:80x", "xaddress:10.0.0.2:80", "address:unix:/x:80",
        }) do
            require("monohull.known_hosts").set_target("a.test", target)
            expect(route(nginx, "a.test"), { exit = 503 })
        end
    end },
    { "refuses what is not a host name without a question", function(nginx)
        for _, host in ipairs({
            "A.test", "a b", "-a.test", ".a", "a/b", "/a", "[::1]", "é.test", ("a"):rep(254),
        }) do
            expect(route(nginx, host), { exit = 403 })
        end
        expect(nginx.requests, {})
    end },
    { "asks about other hosts", function(nginx)
        respond(nginx, 200, "7 app:web")
        for _, host in ipairs({ "_a.test", "a-b.test", "0.test", ("a"):rep(253) }) do
            expect(route(nginx, host), { exec = "@web" })
            expect(nginx.requests[#nginx.requests], "GET /" .. host .. " HTTP/1.0\r\n\r\n")
        end
        expect({ nginx.connections[1], nginx.time }, { socket, 1000 })
        expect(nginx.timeouts, { 1000, 1000, 2000 })
    end },
    { "keeps a target for ten minutes, fresh for thirty seconds", function(nginx)
        respond(nginx, 200, "7 app:web")
        route(nginx, "a.test")
        local entry = nginx.routes.entries["a.test"]
        expect({ entry.value, entry.seconds, entry.flags }, { "app:web", 600, 1030 })
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
    { "takes only complete responses", function(nginx)
        for _, response in ipairs({
            "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\napp:web",
            "HTTP/1.1 200 OK\r\n\r\n7 app:web x", "HTTP/1.1 500 X\r\n\r\n7 app:web", "200\r\n\r\n7 app:web",
            "X-HTTP/1.1 200 OK\r\n\r\n7 app:web",
        }) do
            nginx.respond = function() return response end
            expect(route(nginx, "a.test"), { exit = 503 })
        end
    end },
    { "serves a stale target at once, and asks beside it, once in five seconds", function(nginx)
        require("monohull.known_hosts").set_target("a.test", "app:web")
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
        require("monohull.known_hosts").set_target("a.test", "app:web")
        nginx.refused = math.huge
        nginx.time = 1599
        expect(route(nginx, "a.test"), { exec = "@web" })
        local timer = nginx.timers[1]
        timer[1](false, unpack(timer, 2))
        expect(route(nginx, "a.test"), { exec = "@web" })
        nginx.time = 1600
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
            if nginx.time > 1000.1 then known.set_target("a.test", "app:web") end
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
