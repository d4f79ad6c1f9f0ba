local expect = require "expect"

local function count(nginx, app, time)
    nginx.var.upstream_response_time = time
    require("monohull.busy").count(app)
end

return {
    { "adds up the seconds of all tries of all requests, for each app", function(nginx)
        count(nginx, "web", "0.500")
        count(nginx, "web", "0.250, 1.000 : 2.000")
        count(nginx, "api", "4.000")
        require("monohull.busy").report()
        expect(nginx.output, "api 4\nweb 3.75\n")
    end },
    { "counts nothing for requests that came to no worker", function(nginx)
        count(nginx, "web", nil)
        count(nginx, "web", "-")
        require("monohull.busy").report()
        expect(nginx.output, "")
    end },
    { "takes a time that is not a number for 0", function(nginx)
        count(nginx, "web", "0.500, ..")
        require("monohull.busy").report()
        expect(nginx.output, "web 0.5\n")
    end },
    { "reports the seconds since the last request that came to an app that sleeps", function(nginx)
        nginx.var.upstream_response_time = "0.000"
        ngx.now = function() return 1000 end
        require("monohull.busy").count("web", "sleeps")
        require("monohull.busy").count("api")
        nginx.var.upstream_response_time = nil
        ngx.now = function() return 1007.5 end
        require("monohull.busy").count("web", "sleeps")
        require("monohull.busy").report()
        expect(nginx.output, "!web 7.5\napi 0\nweb 0\n")
    end },
}
