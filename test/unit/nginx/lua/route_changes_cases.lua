local expect = require "expect"
local known_hosts

local function receive(nginx, body)
    known_hosts = require "monohull.known_hosts"
    nginx.body = body
    return nginx.run(require("monohull.route_changes").receive)
end

local function find(host)
    return { known_hosts.find(host, 600) }
end

return {
    { "sets routes, and the version", function(nginx)
        expect(receive(nginx, "12 s\na.test app:web\nb.test address:10.0.0.2:5000\n"), {})
        expect(known_hosts.version(), 12)
        expect(find("a.test"), { "app:web", "fresh" })
        expect(find("b.test"), { "address:10.0.0.2:5000", "fresh" })
    end },
    { "forgets a host without a route, which may fall under a wildcard now", function(nginx)
        receive(nginx, "1 s\na.test app:web\n")
        receive(nginx, "2 s\na.test\n")
        expect(find("a.test"), {})
    end },
    { "makes an unknown host known", function(nginx)
        receive(nginx, "1 s\n")
        known_hosts.set_unknown("a.test")
        expect(find("a.test"), { nil, "unknown" })
        receive(nginx, "2 s\na.test app:web\n")
        expect(find("a.test"), { "app:web", "fresh" })
    end },
    { "changes and removes the route of a wildcard, for all hosts that have it", function(nginx)
        receive(nginx, "1 s\n")
        known_hosts.set_route("a.b.test", "app:web", "*.b.test")
        known_hosts.set_route("own.b.test", "app:own")
        receive(nginx, "2 s\n*.b.test upstream:old\n")
        expect(find("a.b.test"), { "upstream:old", "fresh" })
        receive(nginx, "3 s\n*.b.test\n")
        expect(find("a.b.test"), {})
        expect(find("own.b.test"), { "app:own", "fresh" })
    end },
    { "has hosts asked about again that a new wildcard may match, and no others", function(nginx)
        receive(nginx, "1 s\n")
        known_hosts.set_route("a.b.test", "app:web", "*.test")
        known_hosts.set_route("own.b.test", "app:own")
        known_hosts.set_unknown("x.other")
        receive(nginx, "2 s\n*.b.test upstream:old\n")
        expect(find("a.b.test"), { "app:web", "due" })
        expect(find("own.b.test"), { "app:own", "fresh" })
        expect(find("x.other"), {})
        -- answers of the same second count
        known_hosts.set_route("a.b.test", "upstream:old", "*.b.test")
        known_hosts.set_unknown("x.other")
        expect({ find("a.b.test"), find("x.other") }, { { "upstream:old", "fresh" }, { nil, "unknown" } })
    end },
    { "has every host asked about again, and keeps what it knows until then", function(nginx)
        receive(nginx, "1 s\na.test app:web\n")
        known_hosts.set_route("b.w.test", "app:web", "*.w.test")
        known_hosts.set_unknown("x.other")
        receive(nginx, "2 s\n*\n")
        expect({ find("a.test"), find("b.w.test") }, { { "app:web", "due" }, { "app:web", "due" } })
        expect(find("x.other"), {})
        receive(nginx, "3 s\na.test upstream:old\n")
        expect(find("a.test"), { "upstream:old", "fresh" })
    end },
    { "takes a version alone", function(nginx)
        expect(receive(nginx, "3 s\n"), {})
        expect(known_hosts.version(), 3)
    end },
    { "responds 400 to anything else, and changes nothing", function(nginx)
        for _, body in ipairs({
            "", "3", "3\n", "x s\na.test app:web\n", "x3 s\na.test app:web\n", "\na.test app:web\n",
            "3 \na.test app:web\n", "3 s t\na.test app:web\n",
        }) do
            expect(receive(nginx, body), { exit = 400 })
        end
        nginx.body = nil
        expect(nginx.run(require("monohull.route_changes").receive), { exit = 400 })
        expect({ known_hosts.version(), find("a.test") }, { 0, {} })
    end },
}
