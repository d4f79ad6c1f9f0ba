local expect = require "expect"

local path = "/certificates/pause"

local function wait() require("monohull.gate").wait(path) end

return {
    { "lets a request pass without a file", function(nginx)
        wait()
        expect(nginx.time, 1000)
    end },
    { "lets it wait until the file is gone", function(nginx)
        nginx.files[path] = "1030\n"
        nginx.on_sleep = function()
            if nginx.time >= 1007 then nginx.files[path] = nil end
        end
        wait()
        expect(nginx.time >= 1007 and nginx.time < 1007.3, true)
    end },
    { "lets it go on at the end that the file names, even if nobody removes it", function(nginx)
        nginx.files[path] = "1030.5\n"
        wait()
        expect(nginx.time >= 1030.5 and nginx.time < 1030.8, true)
    end },
    { "lets it pass if the file is no time", function(nginx)
        nginx.files[path] = "soon"
        wait()
        expect(nginx.time, 1000)
    end },
    { "looks at the file once for many requests", function(nginx)
        for _ = 1, 50 do wait() end
        expect(#nginx.opened, 1)
    end },
    { "reads a small body of HTTP/1.1 while requests wait: nginx notices when the client leaves", function(nginx)
        local reads = 0
        ngx.req.read_body = function() reads = reads + 1 end
        local function read(length)
            ngx.var.content_length = length
            require("monohull.gate").read(path, "8192")
            return reads
        end
        expect(read("3"), 0)
        nginx.time = nginx.time + 1
        nginx.files[path] = "1030\n"
        expect(read("8192"), 1)
        for _, length in ipairs { "8193", "0" } do expect(read(length), 1) end
        expect(read(nil), 1)
        nginx.http_version = 2
        expect(read("3"), 1)
    end },
}
