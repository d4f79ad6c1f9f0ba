local expect = require "expect"
local known_hosts

local function receive(nginx, body)
    known_hosts = require "monohull.known_hosts"
    nginx.body = body
    return nginx.run(require("monohull.route_changes").receive)
end

return {
    { "sets targets, and the version", function(nginx)
        expect(receive(nginx, "12\na.test app:web\nb.test address:10.0.0.2:5000\n"), {})
        expect(known_hosts.version(), 12)
        expect({ known_hosts.target("a.test") }, { "app:web", 1030 })
        expect(known_hosts.target("b.test"), "address:10.0.0.2:5000")
    end },
    { "makes a host without a target unknown, for ten seconds", function(nginx)
        receive(nginx, "1\na.test app:web\n")
        receive(nginx, "2\na.test\n")
        expect({ known_hosts.target("a.test"), known_hosts.is_unknown("a.test") }, { nil, true })
        nginx.time = 1010
        expect(known_hosts.is_unknown("a.test"), nil)
    end },
    { "makes an unknown host known", function(nginx)
        receive(nginx, "1\na.test\n")
        receive(nginx, "2\na.test app:web\n")
        expect({ known_hosts.target("a.test") }, { "app:web", 1030 })
        expect(known_hosts.is_unknown("a.test"), nil)
    end },
    { "takes a version alone", function(nginx)
        expect(receive(nginx, "3\n"), {})
        expect(known_hosts.version(), 3)
    end },
    { "responds 400 to anything else, and changes nothing", function(nginx)
        for _, body in ipairs({
            "", "3", "x\na.test app:web\n", "x3\na.test app:web\n", "\na.test app:web\n", "3 \na.test app:web\n",
        }) do
            expect(receive(nginx, body), { exit = 400 })
        end
        nginx.body = nil
        expect(nginx.run(require("monohull.route_changes").receive), { exit = 400 })
        expect({ known_hosts.version(), known_hosts.target("a.test") }, { 0 })
    end },
}
