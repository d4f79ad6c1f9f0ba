local expect = require "expect"

local function connect(nginx, address)
    nginx.var.monohull_address = address
    return nginx.run(require("monohull.route_address").connect)
end

return {
    { "connects to IPv4 and IPv6 addresses", function(nginx)
        expect({ connect(nginx, "10.0.0.2:5000"), nginx.peer }, { {}, { "10.0.0.2", 5000 } })
        expect({ connect(nginx, "[2001:db8::2]:80"), nginx.peer }, { {}, { "[2001:db8::2]", 80 } })
    end },
    { "responds 502 when nginx refuses the address, and logs why", function(nginx)
        nginx.refused = 1
        expect({ connect(nginx, "10.0.0.2:0"), nginx.logged }, { { exit = 502 }, { "no such peer" } })
    end },
}
