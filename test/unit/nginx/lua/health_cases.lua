local expect = require "expect"

local ready = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}\n"

local function ask(nginx, path)
    nginx.var.uri = path or "/readyz"
    nginx.output, ngx.status, ngx.header = "", nil, {}
    return nginx.run(require("monohull.health").respond, "unix:/run/health.sock")
end

return {
    { "passes the response of the supervisor on", function(nginx)
        nginx.respond = function() return "HTTP/1.1 503 Service Unavailable\r\n\r\n{\"status\":\"draining\"}\n" end
        expect(ask(nginx), {})
        expect({ ngx.status, nginx.output }, { 503, "{\"status\":\"draining\"}\n" })
        expect(ngx.header["Cache-Control"], "no-store")
        expect(nginx.requests[1], "GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
    end },
    { "asks each time while few ask", function(nginx)
        nginx.respond = function() return ready end
        for _ = 1, 20 do ask(nginx) end
        expect(#nginx.requests, 20)
    end },
    { "gives all others of a second the last response", function(nginx)
        nginx.respond = function() return ready end
        for _ = 1, 100 do expect(ask(nginx), {}) end
        expect({ #nginx.requests, ngx.status, nginx.output }, { 20, 200, "{}\n" })
        nginx.time = nginx.time + 1
        ask(nginx)
        expect(#nginx.requests, 21)
    end },
    { "keeps the responses of two paths apart", function(nginx)
        nginx.respond = function(request) return request:find("/healthz") and ready or "HTTP/1.1 503 X\r\n\r\nno\n" end
        for _ = 1, 30 do
            ask(nginx, "/healthz")
            expect(ngx.status, 200)
            ask(nginx, "/readyz")
            expect(ngx.status, 503)
        end
    end },
    { "says 502 when nothing listens, and 504 when there is no response in time", function(nginx)
        nginx.refused = 1
        expect(ask(nginx), { exit = 502 })
        nginx.respond = function() return nil, "timeout" end
        expect(ask(nginx), { exit = 504 })
        nginx.respond = function() return nil, "closed" end
        expect(ask(nginx), { exit = 502 })
    end },
    { "lets a flood of one path wait for its first responses, and for no longer than 2.5 s", function(nginx)
        local health = require "monohull.health"
        local waited = 0
        nginx.respond = function()
            nginx.respond = function() return ready end
            -- while the first question is open, the others come; time stands still for them
            for _ = 1, 19 do nginx.run(health.respond, "unix:/run/health.sock") end
            return ready
        end
        nginx.on_sleep = function() waited = waited + 1 end
        ask(nginx)
        expect({ #nginx.requests, waited }, { 20, 0 })
        expect(ask(nginx), {})
        expect({ #nginx.requests, ngx.status }, { 20, 200 })
    end },
}
