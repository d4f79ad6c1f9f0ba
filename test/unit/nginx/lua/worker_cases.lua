local expect = require "expect"

--- The module on a machine with these links.
local function worker(links)
    local lookups = {}
    package.loaded.ffi = {
        cdef = function() end,
        new = function() return {} end,
        string = function(buffer) return buffer.text end,
        C = {
            readlink = function(path, buffer)
                table.insert(lookups, path)
                buffer.text = links[path]
                return buffer.text and #buffer.text or -1
            end,
        },
    }
    return require "monohull.worker", lookups
end

local links = {
    ["/run/a b/app-1.sock"] = "/run/a b/app-1.7.sock",
    ["/run/a b/app-2.sock"] = "/run/a b/app-2.31.sock",
    ["/run/a b/app-9.sock"] = "/run/a b/app-2.sock",
    ["/run/my-api-3.sock"] = "/run/my-api-3.1.sock",
}

--- Name for nginx's text for the tries of a request.
local function named(nginx, module, tries)
    nginx.var.monohull_responder, nginx.var.upstream_addr = "", tries
    module.note()
    return nginx.var.monohull_responder
end

return {
    { "names the worker that an entry leads to", function(nginx)
        local module = worker(links)
        expect(named(nginx, module, "unix:/run/a b/app-1.sock"), "app.1")
        expect(named(nginx, module, "unix:/run/a b/app-9.sock"), "app.2")
        expect(named(nginx, module, "unix:/run/my-api-3.sock"), "my-api.3")
    end },
    { "names the worker of the last try", function(nginx)
        local module = worker(links)
        expect(named(nginx, module, "unix:/run/a b/app-1.sock, unix:/run/a b/app-9.sock"), "app.2")
        expect(named(nginx, module, "unix:/run/a b/app-9.sock : unix:/run/a b/app-1.sock:"), "app.1")
    end },
    { "names the slot of a socket without a link, and nothing else", function(nginx)
        local module = worker {}
        expect(named(nginx, module, "unix:/run/app-4.sock"), "app.4")
        for _, other in ipairs { "10.0.0.1:80", "app_app", "unix:/run/app-1.sock, 10.0.0.1:80" } do
            expect(named(nginx, module, other), "")
        end
        expect(named(nginx, module, nil), "")
    end },
    { "follows a link that has moved, but not for every request", function(nginx)
        local changing = { ["/run/app-5.sock"] = "/run/app-1.1.sock" }
        local module, lookups = worker(changing)
        for _ = 1, 3 do expect(named(nginx, module, "unix:/run/app-5.sock"), "app.1") end
        expect(#lookups, 1)
        changing["/run/app-5.sock"] = "/run/app-2.8.sock"
        nginx.time = nginx.time + 1
        expect(named(nginx, module, "unix:/run/app-5.sock"), "app.2")
    end },
    { "keeps the name from the time of the response", function(nginx)
        local module = worker(links)
        nginx.var.monohull_responder, nginx.var.upstream_addr = "app.7", "unix:/run/a b/app-1.sock"
        module.log()
        expect(nginx.var.monohull_responder, "app.7")
        nginx.var.monohull_responder = ""
        module.log()
        expect(nginx.var.monohull_responder, "app.1")
    end },
    { "names a worker in the line of a page, but no socket of an upstream", function(nginx)
        local module = worker(links)
        nginx.var.monohull_responder, nginx.var.upstream_addr = "", "unix:/srv/app-1.sock"
        module.log_page("/run/a b")
        nginx.var.upstream_addr = nil
        module.log_page("/run/a b")
        expect(nginx.var.monohull_responder, "")
        nginx.var.upstream_addr = "10.0.0.1:80, unix:/run/a b/app-1.sock"
        module.log_page("/run/a b")
        expect(nginx.var.monohull_responder, "app.1")
    end },
    { "counts the busy time of an app that is scaled by it", function(nginx)
        nginx.var.upstream_response_time = "0.500"
        worker(links).log("app")
        expect(nginx.busy:get("app"), 0.5)
    end },
}
