local expect = require "expect"

--- The modules in an nginx worker that counts. `requests[address]` are the variables of requests, `at` the present one.
local function counting(nginx)
    local world = { requests = {}, at = 1 }
    nginx.counts = nginx.new_dictionary()
    ngx.shared.monohull_counts = nginx.counts
    nginx.files["/proc/7/stat"] = "7 (nginx) S 1"
    ngx.worker.exiting = function() return world.is_exiting or false end
    ngx.worker.count = function() return world.workers or 1 end
    ngx.req.get_method = function() return nginx.var.monohull_method end
    package.loaded["resty.core.base"] = { get_request = function() return world.at end }
    package.loaded.ffi = {
        cdef = function() end,
        new = function() return {} end,
        cast = function(_, address) return address end,
        string = function(text) return text end,
        C = {
            readlink = function() return -1 end,
            ngx_http_lua_ffi_var_get = function(address, name, _, _, _, value)
                value[0] = world.requests[address][name]
                return value[0] and 0 or -5
            end,
            ngx_http_lua_ffi_req_start_time = function(address) return world.requests[address].started end,
            ngx_http_lua_ffi_get_resp_status = function(address) return world.requests[address].status or 0 end,
        },
    }
    package.loaded["monohull.request_ids"] = { make = function() return world.next_id end }
    package.loaded["monohull.queues"] = { read = function() return world.queues or {} end }
    world.requests_module = require "monohull.requests"
    world.report_module = require "monohull.request_report"

    --- Begins a request, if it has a route, and sets its variables.
    function world.begin(address, route, method, more)
        world.at = address
        nginx.var.monohull_method = method
        world.requests[address] = { started = nginx.time, monohull_path = "/" }
        for name, value in pairs(more or {}) do world.requests[address][name] = value end
        if route then world.requests_module.begin(route) end
    end

    --- Ends a request with a status and these variables.
    function world.finish(address, status, var)
        world.at, ngx.status, nginx.started = address, status, world.requests[address].started
        for name in ("upstream_response_time monohull_responder upstream_status limit_req_status"):gmatch("%S+") do
            nginx.var[name] = nil
        end
        nginx.var.scheme, nginx.var.request_length, nginx.var.bytes_sent = "http", "100", "1000"
        for name, value in pairs(var or {}) do nginx.var[name] = value end
        world.requests_module.finish()
    end

    --- The report's lines.
    function world.report()
        nginx.output = ""
        world.report_module.report()
        local lines = {}
        for line in nginx.output:gmatch("[^\n]+") do table.insert(lines, line) end
        table.sort(lines)
        return table.concat(lines, "; ")
    end

    return world
end

return {
    { "counts requests to an app by route, method, status and scheme, and by worker", function(nginx)
        local world = counting(nginx)
        for address, seconds in ipairs { 0.004, 0.030 } do
            world.begin(address, "RAx", "GET")
            nginx.time = nginx.time + seconds
            world.finish(address, 200, { upstream_response_time = "0.002", monohull_responder = "app.1" })
        end
        world.report_module.tick()
        expect(nginx.counts:get("RAx GET 200 http n"), 2)
        expect(("%.3f"):format(nginx.counts:get("RAx GET 200 http s")), "0.034")
        expect(nginx.counts:get("RAx GET 200 http w"), 0.004)
        expect(nginx.counts:get("RAx GET 200 http i"), 200)
        expect(nginx.counts:get("RAx GET 200 http o"), 2000)
        expect(nginx.counts:get("RAx GET 200 http 1"), 1)
        expect(nginx.counts:get("RAx GET 200 http 4"), 1)
        expect(nginx.counts:get("app.1 n"), 2)
        world.report_module.tick()
        expect(nginx.counts:get("RAx GET 200 http n"), 2)
    end },
    { "counts requests that are not proxied by a variable, and none for the sign of health", function(nginx)
        local world = counting(nginx)
        nginx.var.monohull_route = "Rfiles"
        world.begin(1, nil, "BREW")
        world.finish(1, 404)
        nginx.var.monohull_route = "-"
        world.begin(2, nil, "GET")
        world.finish(2, 200)
        world.report_module.tick()
        expect(nginx.counts:get("Rfiles _OTHER 404 http n"), 1)
        expect(world.report():find("200"), nil)
    end },
    { "adds the times of all tries", function(nginx)
        local world = counting(nginx)
        world.begin(1, "RAx", "GET")
        world.finish(1, 200, { upstream_response_time = "0.250, 0.500 : 0.250" })
        world.report_module.tick()
        expect(nginx.counts:get("RAx GET 200 http w"), 1)
    end },
    { "keeps the first location of a request, unless it is preliminary", function(nginx)
        local world = counting(nginx)
        world.begin(1, "RLx", "PUT")
        nginx.var.monohull_method = "GET"
        world.requests_module.begin("RAx")
        world.requests_module.begin("RAy")
        world.finish(1, 200)
        world.report_module.tick()
        expect(nginx.counts:get("RAx PUT 200 http n"), 1)
    end },
    { "leaves subrequests out", function(nginx)
        local world = counting(nginx)
        ngx.is_subrequest = true
        world.begin(1, "RAx", "GET")
        expect(next(world.requests_module.open), nil)
    end },
    { "counts rejections by reason, and none that an app sent", function(nginx)
        local world = counting(nginx)
        local function reject(route, status, var)
            world.begin(1, route, "GET")
            world.finish(1, status, var)
        end
        nginx.var.monohull_route = "Rfiles"
        reject("RAx", 429, { limit_req_status = "REJECTED" })
        reject("RAGx", 401)
        reject("RAGx", 401, { upstream_status = "401" })
        reject(nil, 403)
        nginx.var.monohull_route = ""
        reject(nil, 413)
        reject(nil, 421)
        world.report_module.tick()
        for reason, count in pairs { rate = 1, auth = 1, body_size = 1, host = 1 } do
            expect(nginx.counts:get("rejected " .. reason .. " n"), count)
        end
        expect(nginx.counts:get("rejected access n"), nil)
    end },
    { "shows open requests by worker, and the oldest without its query", function(nginx)
        local world = counting(nginx)
        nginx.time = 5000
        local first, second = "unix:/run/app-1.1.sock", "unix:/run/app-2.1.sock"
        world.begin(1, "RAx", "GET", { upstream_addr = first, monohull_path = "/socket", status = 101 })
        nginx.time = 5001
        world.begin(2, "RAx", "POST", { upstream_addr = first, monohull_path = "/a b\n" })
        nginx.time = 5002
        world.begin(3, "RAx", "GET", { upstream_addr = second })
        world.begin(4, "Ry", "GET")
        expect(world.report(), "oldest app.1 5001.000 POST /a?b?; oldest app.2 5002.000 GET /; "
            .. "route RAx 3; route Ry 1; worker app.1 2; worker app.2 1")
        for address = 1, 4 do world.finish(address, 200) end
        expect(world.report():find("worker"), nil)
    end },
    { "learns of another try, and knows another request at the same address", function(nginx)
        local world = counting(nginx)
        world.begin(1, "RAx", "GET", { upstream_addr = "unix:/run/app-1.1.sock" })
        expect(world.report():match("worker %S+"), "worker app.1")
        world.requests[1].upstream_addr = "unix:/run/app-1.1.sock, unix:/run/app-2.1.sock"
        nginx.time = nginx.time + 0.2
        expect(world.report():match("worker %S+"), "worker app.2")
        world.finish(1, 200)
        world.begin(1, "RAx", "GET", { upstream_addr = "unix:/run/app-3.1.sock", started = nginx.time })
        expect(world.report():match("worker %S+"), "worker app.3")
    end },
    { "shows the open requests of other nginx workers, as long as they live", function(nginx)
        local world = counting(nginx)
        world.workers = 2
        nginx.on_sleep = function()
            nginx.counts:set("open 8", "route RAx 5")
            nginx.counts:set("open 9", "route RAx 6")
        end
        nginx.files["/proc/8/stat"] = "8 (nginx) S 1"
        local started = nginx.time
        expect(world.report(), "route RAx 5")
        -- only the first one waits
        expect(nginx.time > started, true)
        started = nginx.time
        world.report()
        expect(nginx.time, started)
    end },
    { "shares no open requests while nobody asks", function(nginx)
        local world = counting(nginx)
        world.begin(1, "RAx", "GET")
        world.report_module.tick()
        expect(nginx.counts:get("open 7"), nil)
        world.report()
        expect(nginx.counts:get("open 7"), "route RAx 1")
        nginx.time = nginx.time + 200
        world.report_module.tick()
        expect(nginx.counts:get("open 7"), nil)
    end },
    { "adds at once in a worker that exits", function(nginx)
        local world = counting(nginx)
        world.begin(1, "RAx", "GET")
        world.is_exiting = true
        world.finish(1, 200)
        expect(nginx.counts:get("RAx GET 200 http n"), 1)
    end },
    { "reports the queues of sockets", function(nginx)
        local world = counting(nginx)
        world.queues = { "queue 42 3" }
        expect(world.report(), "queue 42 3")
    end },
    { "gives a request one id, whatever locations it comes to, and none of its own to a subrequest", function(nginx)
        local world = counting(nginx)
        world.next_id = "0123456789abcdef0011223344556677"
        world.at, nginx.var.monohull_method = 1, "GET"
        expect(world.requests_module.begin_with_id("RLx"), world.next_id)
        expect(nginx.var.monohull_span_id, "0011223344556677")
        nginx.var.monohull_own_id, world.next_id = world.next_id, "another"
        expect(world.requests_module.begin_with_id("RAy"), nginx.var.monohull_own_id)
        expect(world.requests_module.open[1].route, "RAy")
        world.at, ngx.is_subrequest = 2, true
        expect(world.requests_module.begin_with_id("RAy"), nginx.var.monohull_own_id)
    end },
    { "leaves the id to nginx where OpenSSL has no random bytes", function(nginx)
        local world = counting(nginx)
        nginx.var.monohull_own_id = "that of nginx"
        expect(world.requests_module.begin_with_id("RAx"), "that of nginx")
        expect(world.requests_module.open[1].route, "RAx")
    end },
    { "counts a failed request under its own method, which nginx changes for a page", function(nginx)
        local world = counting(nginx)
        ngx.req.get_method = function() return "GET" end
        for address, status in ipairs { 200, 404 } do
            world.begin(address, nil, "PUT")
            world.finish(address, status, { monohull_route = "Rx" })
        end
        world.report_module.tick()
        expect(nginx.counts:get("Rx GET 200 http n"), 1)
        expect(nginx.counts:get("Rx PUT 404 http n"), 1)
    end },
    { "forgets routes", function(nginx)
        local world = counting(nginx)
        for _, route in ipairs { "RAx", "RAy", "RAz" } do
            world.begin(1, route, "GET")
            world.finish(1, 200)
        end
        world.report_module.tick()
        nginx.var.args = "RAx,RAz"
        world.report_module.forget()
        expect(nginx.counts:get("RAx GET 200 http n"), nil)
        expect(nginx.counts:get("RAy GET 200 http n"), 1)
    end },
}
