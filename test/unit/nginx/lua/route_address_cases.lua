local expect = require "expect"

local function connect(nginx, address)
    nginx.var.monohull_address = address
    return nginx.run(require("monohull.route_address").connect)
end

local three = "address:10.0.0.1:80,address:10.0.0.2:80,address:10.0.0.3:80"

--- Another request, in this nginx worker.
local function begin(nginx, text)
    ngx.ctx, nginx.var.monohull_target, nginx.var.monohull_kept_target = {}, "", ""
    return connect(nginx, text)
end

--- Ends a request as nginx saw it.
local function finish(nginx, target, status, header_time)
    nginx.var.monohull_target = target
    nginx.var.upstream_status, nginx.var.upstream_header_time = status, header_time
    require("monohull.route_address").log()
end

return {
    { "connects to IPv4 and IPv6 addresses", function(nginx)
        expect({ connect(nginx, "address:10.0.0.2:5000"), nginx.peer }, { {}, { "10.0.0.2", 5000 } })
        expect({ connect(nginx, "address:[2001:db8::2]:80"), nginx.peer }, { {}, { "[2001:db8::2]", 80 } })
        expect({ nginx.more_tries, nginx.read_timeout }, {})
    end },
    { "responds 502 when nginx refuses the address, and logs why", function(nginx)
        nginx.refused = 1
        expect({ connect(nginx, "address:10.0.0.2:0"), nginx.logged }, { { exit = -3 }, { "no such peer" } })
    end },
    { "tries each server once, three at most, and marks those that fail", function(nginx)
        expect({ begin(nginx, three), nginx.peer[1], nginx.more_tries }, { {}, "10.0.0.1", 2 })
        connect(nginx, three)
        expect(nginx.peer[1], "10.0.0.2")
        connect(nginx, three)
        expect(nginx.peer[1], "10.0.0.3")
        expect(connect(nginx, three), { exit = -3 })
        expect(nginx.asked.get_keys(),
            { "down address:10.0.0.1:80", "down address:10.0.0.2:80", "down address:10.0.0.3:80" })
        -- with all of them down, each gets requests again
        expect({ begin(nginx, three), nginx.peer[1] }, { {}, "10.0.0.1" })
    end },
    { "sends nothing to a server that failed, for ten seconds", function(nginx)
        begin(nginx, three)
        finish(nginx, "address:10.0.0.1:80", "502", "-")
        begin(nginx, three)
        finish(nginx, "address:10.0.0.2:80", "504", "-")
        expect({ begin(nginx, three), nginx.peer[1] }, { {}, "10.0.0.3" })
        nginx.time = 1010
        expect({ begin(nginx, three), nginx.peer[1] }, { {}, "10.0.0.1" })
    end },
    { "does not take for failed what responded, or what the client left", function(nginx)
        for _, ended in ipairs({
            { "502", "0.010" }, { "504, 502", "-, 0.010" }, { "499", "-" }, { "200", "0.010" },
        }) do
            begin(nginx, three)
            finish(nginx, "address:10.0.0.1:80", ended[1], ended[2])
        end
        expect(nginx.asked.get_keys(), {})
        finish(nginx, "", "502", "-")
        expect(nginx.asked.get_keys(), {})
    end },
    { "chooses the server with the fewest requests for its weight", function(nginx)
        local text, order = "address:10.0.0.1:80,address:10.0.0.2:80*2", {}
        for _ = 1, 6 do
            begin(nginx, text)
            table.insert(order, nginx.peer[1]:sub(-1))
        end
        expect(table.concat(order), "122122")
        finish(nginx, "address:10.0.0.1:80", "200", "0.001")
        begin(nginx, text)
        expect(nginx.peer[1], "10.0.0.1")
    end },
    { "draws among servers with the same load by their weights", function(nginx)
        for share, address in pairs({
            [0.1] = "10.0.0.1", [0.32] = "10.0.0.1", [0.34] = "10.0.0.2", [0.99] = "10.0.0.2",
        }) do
            nginx.chance = share
            begin(nginx, "address:10.0.0.1:80,address:10.0.0.2:80*2")
            expect(nginx.peer[1], address)
            finish(nginx, nginx.var.monohull_target, "200", "0.001")
        end
    end },
    { "keeps a visitor at a server by a cookie, which moves when that one fails", function(nginx)
        local text = "address:10.0.0.1:80,address:10.0.0.2:8000;sticky"
        nginx.var.monohull_secure = "; Secure"
        begin(nginx, text)
        expect(nginx.var.monohull_kept_target, "monohull_target=00000013; Path=/; HttpOnly; SameSite=Lax; Secure")
        nginx.var.cookie_monohull_target = "00000015"
        begin(nginx, text)
        expect({ nginx.peer[1], nginx.var.monohull_kept_target }, { "10.0.0.2", "" })
        connect(nginx, text)
        expect(nginx.peer[1], "10.0.0.1")
        expect(nginx.var.monohull_kept_target:match("=(%d+);"), "00000013")
        -- however many requests it has
        nginx.var.cookie_monohull_target = "00000013"
        for _ = 1, 3 do
            begin(nginx, text)
            expect(nginx.peer[1], "10.0.0.1")
            nginx.asked:delete("down address:10.0.0.2:8000")
        end
        nginx.var.cookie_monohull_target = "someone else's"
        begin(nginx, three)
        expect(nginx.var.monohull_kept_target, "")
    end },
    { "sets the read timeout of the route, and tries no other server when it is over", function(nginx)
        local text = "address:10.0.0.1:80,address:10.0.0.2:80;read=1500"
        begin(nginx, text)
        expect(nginx.read_timeout, 1.5)
        nginx.time = 1001
        expect({ connect(nginx, text), nginx.peer[1] }, { {}, "10.0.0.2" })
        begin(nginx, text)
        nginx.time = 1001.499 -- a timer may fire a moment before
        expect(connect(nginx, text), { exit = -3 })
    end },
    { "connects to addresses only, where a route has others too", function(nginx)
        begin(nginx, "app:web*9,address:10.0.0.2:80")
        expect(nginx.peer[1], "10.0.0.2")
        expect(connect(nginx, "app:web*9,address:10.0.0.2:80"), { exit = -3 })
    end },
}
