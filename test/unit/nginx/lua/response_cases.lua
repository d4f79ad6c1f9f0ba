local expect = require "expect"

--- What the header filter does with a response.
local function check(nginx, status, upgrade)
    ngx.status = status
    nginx.var.monohull_upgrade = upgrade or ""
    return nginx.run(require("monohull.response").check)
end

--- The first part of a page, as the client gets it.
local function page(nginx, version, var)
    nginx.http_version = version
    nginx.var.server_protocol, nginx.var.request_method = "HTTP/1.1", "GET"
    for key, value in pairs(var or {}) do nginx.var[key] = value end
    ngx.status = 502
    ngx.ctx = {}
    ngx.resp = { get_headers = function() return { ["retry-after"] = "5", connection = "keep-alive" } end }
    ngx.arg = { "page" }
    require("monohull.response").add_head()
    local first = ngx.arg[1]
    ngx.arg = { "more" }
    require("monohull.response").add_head()
    return first, ngx.arg[1]
end

return {
    { "lets every response through that nginx reads right", function(nginx)
        for _, status in ipairs { 200, 204, 304, 404, 502, 599 } do expect(check(nginx, status), {}) end
        expect(check(nginx, 101, "websocket"), {})
        expect(#nginx.logged, 0)
    end },
    { "responds with 502 to informational ones, and says what to do", function(nginx)
        for _, status in ipairs { 100, 102, 103, 199 } do expect(check(nginx, status), { exit = 502 }) end
        expect(#nginx.logged, 4)
        expect(nginx.logged[3]:find("status 103, .*Early Hints") ~= nil, true)
    end },
    { "responds with 502 to a change of the protocol that nobody asked for", function(nginx)
        expect(check(nginx, 101), { exit = 502 })
    end },
    { "responds with 502 to what has no head", function(nginx)
        expect(check(nginx, 9), { exit = 502 })
        expect(nginx.logged[1]:find("no HTTP head.*must speak HTTP") ~= nil, true)
    end },
    { "writes the head that nginx omits, once", function(nginx)
        local first, second = page(nginx, 0.9)
        expect(first, "HTTP/1.1 502 Bad Gateway\r\nretry-after: 5\r\nconnection: close\r\n\r\npage")
        expect(second, "more")
    end },
    { "writes no body for HEAD", function(nginx)
        local first, second = page(nginx, 0.9, { request_method = "HEAD" })
        expect(first, "HTTP/1.1 502 Bad Gateway\r\nretry-after: 5\r\nconnection: close\r\n\r\n")
        expect(second, "more")
    end },
    { "writes no head where nginx does, nor for HTTP/2 and HTTP/0.9", function(nginx)
        expect((page(nginx, 1.1)), "page")
        for _, protocol in ipairs { "HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "" } do
            expect((page(nginx, 0.9, { server_protocol = protocol })), "page")
        end
    end },
}
