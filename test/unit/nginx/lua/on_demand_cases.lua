local expect = require "expect"

local socket = "unix:/run/on-demand.sock"
local pem = "CHAIN1 KEY1"

local function serve(nginx, name)
    nginx.server_name, nginx.served = name, nil
    return nginx.run(require("monohull.on_demand").serve, "/certificates", socket)
end

local function path(name) return "/certificates/" .. name .. ".pem" end

return {
    { "leaves the server's own certificate to what is not a host name", function(nginx)
        for _, name in ipairs({
            "", "localhost", "10.0.0.1", "::1", "a.1", "a..b", "../a.b", "a/b.c", "-a.b", "a_b.test",
            ("a"):rep(252) .. ".b",
        }) do
            expect({ serve(nginx, name), nginx.served }, { {} })
        end
        expect({ serve(nginx, nil), nginx.served }, { {} })
        expect({ nginx.opened, nginx.requests }, { {}, {} })
    end },
    { "serves the certificate in the file for the name, whatever its case, without a question", function(nginx)
        for _, name in ipairs({ "a.test", "xn--a-b.xn--test", "0.a.test", ("a"):rep(251) .. ".b" }) do
            nginx.files[path(name)] = pem
            expect({ serve(nginx, name:upper()), nginx.served }, { {}, { chain = "CHAIN1", key = "KEY1" } })
        end
        expect(nginx.requests, {})
    end },
    { "reads a file again after ten seconds", function(nginx)
        nginx.files[path("a.test")] = pem
        serve(nginx, "a.test")
        nginx.files[path("a.test")] = "CHAIN2 KEY2"
        nginx.time = 1009.9
        expect({ serve(nginx, "a.test"), nginx.served.chain, #nginx.opened }, { {}, "CHAIN1", 1 })
        nginx.time = 1010
        expect({ serve(nginx, "a.test"), nginx.served.chain, #nginx.opened }, { {}, "CHAIN2", 2 })
        expect(nginx.cache_size, 1000)
    end },
    { "asks for a certificate that is missing, and serves it", function(nginx)
        nginx.respond = function() nginx.files[path("a.test")] = pem end
        expect({ serve(nginx, "a.test"), nginx.served }, { {}, { chain = "CHAIN1", key = "KEY1" } })
        expect({ nginx.connections, nginx.requests }, { { socket }, { "GET /a.test/0a000001 HTTP/1.0\r\n\r\n" } })
        expect(nginx.timeouts, { 1000, 1000, 10000 })
    end },
    { "names the network of the client: an IPv4 address, half of an IPv6 address, or none", function(nginx)
        nginx.client = { "\32\1\13\184\0\0\0\7\255\255\255\255\255\255\255\255", "inet6" }
        serve(nginx, "a.test")
        nginx.client = { "/run/x.sock", "unix" }
        serve(nginx, "b.test")
        expect(nginx.requests[1], "GET /a.test/20010db800000007 HTTP/1.0\r\n\r\n")
        expect(nginx.requests[2], "GET /b.test/local HTTP/1.0\r\n\r\n")
    end },
    { "asks for names deeper than the wildcard of the server's certificate, and only for those", function(nginx)
        local on_demand = require("monohull.on_demand")
        local function handshake(name)
            nginx.server_name = name
            return nginx.run(on_demand.serve, "/certificates", socket, "*.wild.test")
        end
        expect({ handshake("a.wild.test"), #nginx.requests }, { {}, 0 })
        for index, name in ipairs({ "a.b.wild.test", "wild.test", "a.xwild.test", "a.wild.test.evil.test" }) do
            expect({ handshake(name), #nginx.requests }, { { exit = -1 }, index })
        end
    end },
    { "refuses the handshake when there is none to be had, and asks for it the next time", function(nginx)
        expect({ serve(nginx, "a.test"), nginx.served }, { { exit = -1 } })
        expect({ serve(nginx, "a.test"), #nginx.requests }, { { exit = -1 }, 2 })
    end },
    { "connects ten times within two seconds, for a supervisor that is about to listen", function(nginx)
        nginx.files, nginx.refused = {}, 9
        nginx.respond = function() nginx.files[path("a.test")] = pem end
        expect({ serve(nginx, "a.test"), #nginx.connections }, { {}, 10 })
        nginx.refused, nginx.time = 10, 2000
        expect({ serve(nginx, "b.test"), #nginx.connections, #nginx.requests }, { { exit = -1 }, 20, 1 })
        expect(nginx.time > 2001.9 and nginx.time < 2002.1, true)
    end },
    { "asks for another certificate when a file is unusable", function(nginx)
        for _, text in ipairs({ "", "CHAIN1", "KEY1" }) do
            nginx.files[path("a.test")], nginx.requests = text, {}
            expect({ serve(nginx, "a.test"), #nginx.requests, nginx.served }, { { exit = -1 }, 1 })
        end
    end },
    { "refuses the handshake when the key does not match", function(nginx)
        nginx.files[path("a.test")], nginx.takes_keys = pem, false
        expect(serve(nginx, "a.test"), { exit = -1 })
    end },
}
