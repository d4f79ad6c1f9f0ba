local expect = require "expect"

local size, dont_wait = 32, 0x40
local open_channel, quit, terminate, reopen = 1, 3, 4, 5

--- The module in a worker whose master sends these commands, one for each look, and what it does to nginx.
local function handover(nginx, commands)
    local done, message = {}, {}
    nginx.files["/proc/self/fdinfo/4"] = "pos:\t0\ntfd:       17 events:       19 data: 7f\n"
    nginx.files["/proc/self/fdinfo/5"] = "pos:\t0\ntfd:        7 events:       19 data: 7f\n"
    local C = {
        ngx_channel = 7,
        ngx_cycle = {},
        recv = function(_, into, _, flags)
            expect(flags, dont_wait)
            local command = table.remove(commands, 1)
            if not command then return -1 end
            into.command = command
            return command == "none" and -1 or size
        end,
        epoll_ctl = function(epoll, operation, descriptor)
            table.insert(done, ("epoll %d, operation %d, descriptor %d"):format(epoll, operation, descriptor))
            return 0
        end,
        ngx_close_listening_sockets = function() table.insert(done, "listens no more") end,
    }
    package.loaded.ffi = {
        C = C,
        cdef = function() end,
        new = function() return message end,
        sizeof = function() return size end,
    }
    ngx.worker.exiting = function() return false end
    return require "monohull.handover", C, done
end

local function never_used() return nil end

return {
    { "takes the master's messages from nginx, once", function(nginx)
        local module, C, done = handover(nginx, {})
        module.tick(never_used)
        module.tick(never_used)
        expect(done, { "epoll 5, operation 2, descriptor 7" })
        expect(C.ngx_quit, nil)
    end },
    { "leaves nginx alone where /proc does not show its epoll", function(nginx)
        local module, C, done = handover(nginx, { quit })
        nginx.files["/proc/self/fdinfo/5"] = nil
        module.tick(never_used)
        expect({ #done, C.ngx_quit }, { 0, nil })
    end },
    { "quits soon without clients", function(nginx)
        local module, C, done = handover(nginx, { quit })
        local began = nginx.time
        module.tick(never_used)
        expect(done[2], "listens no more")
        expect(C.ngx_quit, 1)
        expect(nginx.time - began < 0.1, true)
    end },
    { "quits when its clients have been silent", function(nginx)
        local module, C = handover(nginx, { quit })
        local began, used = nginx.time, nginx.time - 0.2
        module.tick(function() return (nginx.time - used) * 1000 end)
        expect(C.ngx_quit, 1)
        expect(nginx.time - began >= 0.8 and nginx.time - began < 0.9, true)
    end },
    { "does not wait for ever for clients that are never silent", function(nginx)
        local module, C = handover(nginx, { quit })
        local began = nginx.time
        module.tick(function() return 0 end)
        expect(C.ngx_quit, 1)
        expect(nginx.time - began < 2.1, true)
    end },
    { "tells its clients when the other old workers accept none of them", function(nginx)
        local module, _, done = handover(nginx, { quit })
        local began, times = nginx.time, {}
        module.expire_connections = function() table.insert(times, nginx.time - began) end
        module.tick(function() return 0 end)
        expect(done[2], "listens no more")
        expect(#times == 1 and times[1] > 0.25 and times[1] < 0.4, true)
    end },
    { "passes on other messages", function(nginx)
        local module, C = handover(nginx, { open_channel, reopen, terminate })
        module.tick(never_used)
        expect({ C.ngx_reopen, C.ngx_terminate, C.ngx_quit }, { 1, 1, nil })
    end },
    { "obeys its master while it hands over", function(nginx)
        local module, C = handover(nginx, { quit, "none", terminate })
        module.tick(function() return 0 end)
        expect({ C.ngx_quit, C.ngx_terminate }, { 1, 1 })
    end },
}
