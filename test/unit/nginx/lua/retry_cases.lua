local expect = require "expect"

local worker = "unix:/run/app-1.sock"

--- A GET that was sent to a worker and got nothing, with what `var` changes.
local function decide(nginx, var, respond)
    nginx.http_version = 1.1
    for key, value in pairs {
        monohull_retry = "app @next", monohull_page_type = "html", monohull_method = "GET", request_method = "GET",
        monohull_path = "/a b", monohull_own_id = "1f", upstream_addr = worker, upstream_bytes_sent = "120",
        upstream_bytes_received = "0", upstream_response_time = "3.000, 0.250",
    } do
        nginx.var[key] = value
    end
    for key, value in pairs(var) do nginx.var[key] = value end
    nginx.respond = function() return respond end
    return nginx.run(require("monohull.retry").decide, "unix:/run/retry.sock")
end

local allowed = "HTTP/1.1 200 OK\r\n\r\nunix:/run/app-2.sock:"
local refused = "HTTP/1.1 403 Forbidden\r\n\r\n"
local page = { exec = "/.monohull/bad-gateway.html" }

return {
    { "sends the request where the supervisor says", function(nginx)
        expect(decide(nginx, {}, allowed), { exec = "@next" })
        expect(nginx.var.monohull_retry_to, "unix:/run/app-2.sock:")
        expect(nginx.requests[1],
            "GET /app/GET/%2Fa%20b/1f/unix%3A%2Frun%2Fapp%2D1%2Esock/999750/1/possible HTTP/1.0\r\n\r\n")
    end },
    { "lets nginx choose if the supervisor names no worker, or does not respond", function(nginx)
        expect(decide(nginx, {}, "HTTP/1.1 200 OK\r\n\r\n"), { exec = "@next" })
        expect(nginx.var.monohull_retry_to, "app_app")
        expect(decide(nginx, {}, nil), { exec = "@next" })
        nginx.refused = 1
        expect(decide(nginx, {}, nil), { exec = "@next" })
        expect(nginx.var.monohull_retry_to, "app_app")
    end },
    { "lets nginx choose while the supervisor does not listen yet, without a connection that fails", function(nginx)
        nginx.sockets["/run/retry.sock"] = false
        expect(decide(nginx, {}, allowed), { exec = "@next" })
        expect(nginx.var.monohull_retry_to, "app_app")
        expect(#nginx.connections, 0)
    end },
    { "responds with 503 if the supervisor says that no worker got the request, whatever its method", function(nginx)
        for _, method in ipairs { "GET", "POST" } do
            expect(decide(nginx, { monohull_method = method }, "HTTP/1.1 503 Unavailable\r\n\r\n"), { exit = 503 })
        end
    end },
    { "responds with the page to what the supervisor refuses", function(nginx)
        expect(decide(nginx, {}, refused), page)
        expect(nginx.method, ngx.HTTP_GET)
        expect(decide(nginx, { monohull_page_type = "json" }, refused), { exec = "/.monohull/bad-gateway.json" })
    end },
    { "repeats no POST, PATCH or LOCK that was sent, whatever the supervisor says", function(nginx)
        for _, method in ipairs { "POST", "PATCH", "LOCK" } do
            expect(decide(nginx, { monohull_method = method }, allowed), page)
            expect(nginx.requests[#nginx.requests]:match("%w+ HTTP/1.0"), "impossible HTTP/1.0")
            local unsent = { monohull_method = method, upstream_bytes_sent = "0" }
            expect(decide(nginx, unsent, allowed), { exec = "@next" })
        end
    end },
    { "repeats nothing more than twice", function(nginx)
        local addresses = worker .. " : unix:/run/app-2.sock:, unix:/run/app 3.sock"
        expect(decide(nginx, { upstream_addr = addresses, upstream_bytes_sent = "0 : 0, 120" }, allowed), page)
        expect(nginx.requests[1]:find("app%203%2Esock/999750/1/impossible", 1, true) ~= nil, true)
        expect(decide(nginx, { upstream_bytes_sent = "0, 0" }, allowed), { exec = "@next" })
    end },
    { "repeats nothing that a worker responded to", function(nginx)
        expect(decide(nginx, { upstream_bytes_received = "17" }, allowed), page)
        expect(#nginx.requests, 0)
    end },
    { "repeats no body that was not kept", function(nginx)
        local function unkept(var)
            nginx.var.content_length, nginx.var.http_transfer_encoding = nil, nil
            var.monohull_retry = "app @next unkept"
            return decide(nginx, var, allowed)
        end
        expect(unkept {}, { exec = "@next" })
        expect(unkept { content_length = "0" }, { exec = "@next" })
        expect(unkept { content_length = "5" }, page)
        expect(unkept { http_transfer_encoding = "chunked" }, page)
    end },
}
