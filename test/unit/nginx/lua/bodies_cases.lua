local expect = require "expect"

local own_pid = "7"

--- A request of this nginx worker; `ctx` is what keeps its room.
local function request(nginx, var, version)
    for key in pairs(nginx.var) do nginx.var[key] = nil end
    nginx.var.request_method = "POST"
    for key, value in pairs(var) do nginx.var[key] = value end
    nginx.http_version = version or 1.1
    ngx.ctx = {}
    local ended = nginx.run(require("monohull.bodies").reserve, "1000", "400", "16")
    return ended, ngx.ctx
end

local function post(nginx, length)
    return request(nginx, { content_length = length })
end

return {
    { "lets bodies in until they are as large together as allowed", function(nginx)
        local kept = {}
        for _, length in ipairs { "600", "400" } do
            local ended, ctx = post(nginx, length)
            table.insert(kept, ctx)
            expect(ended, {})
        end
        expect(nginx.bodies:get(own_pid), 1000)
        expect((post(nginx, "17")), { exit = 503 })
        expect(#kept, 2)
    end },
    { "does not count what needs no file", function(nginx)
        for _ = 1, 100 do expect((post(nginx, "16")), {}) end
        expect((request(nginx, { request_method = "GET" })), {})
        expect(nginx.bodies:get(own_pid), nil)
    end },
    { "has the room again when the request has ended", function(nginx)
        for _ = 1, 5 do
            expect((post(nginx, "900")), {})
            ngx.ctx = {}
            nginx.time = nginx.time + 1
        end
    end },
    { "takes a body without a length for as large as the route accepts", function(nginx)
        local _, first = request(nginx, { http_transfer_encoding = "chunked" })
        expect(nginx.bodies:get(own_pid), 400)
        local _, second = request(nginx, { request_method = "PUT" }, 2)
        expect(nginx.bodies:get(own_pid), 800)
        expect((request(nginx, {}, 3)), { exit = 503 })
        expect({ first ~= nil, second ~= nil }, { true, true })
    end },
    { "discards a body that HTTP/2 sends with GET without a length", function(nginx)
        expect((request(nginx, { request_method = "GET" }, 2)), {})
        expect(nginx.discarded, 1)
        expect((request(nginx, { request_method = "GET" }, 1.1)), {})
        expect(nginx.discarded, 1)
    end },
    { "counts what other nginx workers hold, while they run", function(nginx)
        nginx.bodies:set("8", 700)
        nginx.files["/proc/8/stat"] = "8 (nginx)"
        expect((post(nginx, "400")), { exit = 503 })
        nginx.files["/proc/8/stat"] = nil
        expect((post(nginx, "400")), {})
        expect(nginx.bodies:get("8"), nil)
    end },
    { "says once a minute what was refused, and what to do", function(nginx)
        for _ = 1, 3 do expect((post(nginx, "2000")), { exit = 503 }) end
        expect(#nginx.logged, 1)
        expect(nginx.logged[1]:find("2000 bytes.*share 1000 bytes.*temp_dir.*request_buffering: off") ~= nil, true)
        nginx.time = nginx.time + 61
        post(nginx, "2000")
        expect(#nginx.logged, 2)
    end },
    { "shows the others that a request has ended, though none follows", function(nginx)
        post(nginx, "900")
        ngx.ctx = {}
        nginx.time = nginx.time + 1
        require("monohull.bodies").tick()
        expect(nginx.bodies:get(own_pid), 0)
    end },
}
