local expect = require "expect"

local function known() return require "monohull.known_hosts" end

local function find(host)
    return { known().find(host, 600) }
end

--- Signs of life every five seconds, until a time.
local function hear_until(nginx, time, stream)
    while nginx.time < time do
        nginx.time = math.min(time, nginx.time + 5)
        known().hear(stream or "s")
    end
end

return {
    { "keeps an answer fresh for thirty seconds, and stale for as long as it may", function(nginx)
        known().set_route("a.test", "app:web")
        nginx.time = 1030
        expect(find("a.test"), { "app:web", "fresh" })
        nginx.time = 1031
        expect(find("a.test"), { "app:web", "stale" })
        nginx.time = 1600
        expect(find("a.test"), { "app:web", "stale" })
        nginx.time = 1606
        expect(find("a.test"), {})
        expect({ known().find("a.test", 3600) }, { "app:web", "stale" })
    end },
    { "keeps an answer fresh while the supervisor gives signs of life, and stale after the last", function(nginx)
        known().hear("s")
        known().set_route("a.test", "app:web")
        known().set_route("b.w.test", "app:web", "*.w.test")
        hear_until(nginx, 5000)
        expect({ find("a.test"), find("b.w.test") }, { { "app:web", "fresh" }, { "app:web", "fresh" } })
        nginx.time = 5030
        expect(find("a.test"), { "app:web", "fresh" })
        nginx.time = 5031
        expect({ find("a.test"), find("b.w.test") }, { { "app:web", "stale" }, { "app:web", "stale" } })
        -- the supervisor may have been well for another five seconds
        nginx.time = 5605
        expect(find("a.test"), { "app:web", "stale" })
        nginx.time = 5606
        expect(find("a.test"), {})
    end },
    { "keeps an old answer for as long as it may after the end of its stream, however many begin", function(nginx)
        known().hear("s")
        known().set_route("a.test", "app:web")
        known().set_route("b.w.test", "app:web", "*.w.test")
        hear_until(nginx, 5000)
        -- a silence; it is well for a moment; then another
        hear_until(nginx, 5400)
        nginx.time = 5460
        known().hear("s")
        nginx.time = 5600
        expect({ find("a.test"), find("b.w.test") }, { { "app:web", "stale" }, { "app:web", "stale" } })
        known().hear("t")
        nginx.time = 6065
        expect(find("a.test"), { "app:web", "stale" })
        nginx.time = 6066
        expect(find("a.test"), {})
    end },
    { "takes answers from before another stream, or a silence, for stale", function(nginx)
        known().hear("s")
        known().set_route("a.test", "app:web")
        hear_until(nginx, 1100)
        hear_until(nginx, 1105, "t")
        expect(find("a.test"), { "app:web", "stale" })
        known().set_route("a.test", "app:web")
        hear_until(nginx, 1200, "t")
        expect(find("a.test"), { "app:web", "fresh" })
        nginx.time = 1240
        known().hear("t")
        expect(find("a.test"), { "app:web", "stale" })
    end },
    { "trusts no answer from before the first sign of life", function(nginx)
        known().set_route("a.test", "app:web")
        known().hear("s")
        hear_until(nginx, 1100)
        expect(find("a.test"), { "app:web", "stale" })
    end },
    { "keeps a host unknown for ten seconds, apart from the routes", function(nginx)
        known().set_route("a.test", "app:web")
        known().set_unknown("a.test")
        expect(find("a.test"), { nil, "unknown" })
        expect({ nginx.routes.get_keys(), nginx.others.get_keys() }, { {}, { "a.test" } })
        nginx.time = 1010
        expect(find("a.test"), {})
    end },
    { "stores one route for all hosts of a wildcard", function(nginx)
        for count = 1, 100 do known().set_route(count .. ".w.test", "app:web", "*.w.test") end
        expect(nginx.routes.get_keys(), { "*.w.test" })
        expect(find("7.w.test"), { "app:web", "fresh" })
    end },
    { "bounds the questions about hosts without a route in a second", function(nginx)
        for count = 1, 199 do known().set_unknown(count .. ".test") end
        expect(known().may_ask(), true)
        known().set_unknown("x.test")
        expect(known().may_ask(), false)
        nginx.time = 1001
        expect(known().may_ask(), true)
    end },
}
