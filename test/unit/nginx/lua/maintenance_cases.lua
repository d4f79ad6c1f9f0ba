local expect = require "expect"

local path = "/certificates/on"

local function is_closed(nginx, address)
    nginx.var.binary_remote_addr = address
    return require("monohull.maintenance").is_closed(path)
end

return {
    { "closes the site for everyone if nobody is let in, or the file is gone", function(nginx)
        expect(is_closed(nginx, "\10\0\0\1"), "1")
        nginx.files[path] = ""
        nginx.time = 1001
        expect(is_closed(nginx, "\10\0\0\1"), "1")
    end },
    { "lets clients of the networks in, of either family", function(nginx)
        nginx.files[path] = "32 00001010\n32 11000000101010000000000000000001\n128 001000000000000100001101101110001\n"
        expect(is_closed(nginx, "\10\255\0\1"), "")
        expect(is_closed(nginx, "\11\0\0\1"), "1")
        expect(is_closed(nginx, "\192\168\0\1"), "")
        expect(is_closed(nginx, "\192\168\0\2"), "1")
        expect(is_closed(nginx, "\32\1\13\184\128" .. ("\0"):rep(11)), "")
        expect(is_closed(nginx, "\32\1\13\184\0" .. ("\0"):rep(11)), "1")
    end },
    { "lets a whole family in, and not the other", function(nginx)
        nginx.files[path] = "32 \n"
        expect(is_closed(nginx, "\10\0\0\1"), "")
        expect(is_closed(nginx, ("\0"):rep(16)), "1")
    end },
    { "lets everyone in where nginx's map gives no file", function(nginx)
        nginx.files[path] = ""
        nginx.var.monohull_maintenance_switch = ""
        expect(is_closed(nginx, "\10\0\0\1"), "")
    end },
    { "reads the file again after a tenth of a second", function(nginx)
        nginx.files[path] = "32 00001010\n"
        expect(is_closed(nginx, "\10\0\0\1"), "")
        nginx.files[path] = "32 00001011\n"
        expect(is_closed(nginx, "\10\0\0\1"), "")
        nginx.time = 1000.2
        expect(is_closed(nginx, "\10\0\0\1"), "1")
    end },
}
