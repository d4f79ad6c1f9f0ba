local expect = require "expect"

--- The guard without a machine under it, but for the functions in `C`.
local function guard(C)
    package.loaded.ffi = {
        C = C,
        cdef = function() end,
        new = function() return {} end,
        cast = function() return {} end,
    }
    return require "monohull.guard"
end

--- Runs the guard's thread while nginx has these numbers of connections, one after the other, and then is replaced.
-- Gives how often it returned memory, and how often it slept.
local function run(nginx, numbers, parent)
    local trims, turn = 0, 1
    local active = setmetatable({}, { __index = function() return numbers[turn] end })
    ngx.worker.exiting = function() return turn > #numbers end
    nginx.on_sleep = function() turn = turn + 1 end
    local most = 1e6
    guard({
        ngx_stat_active = active,
        ngx_parent = 7,
        getppid = function() return parent or 7 end,
        malloc_trim = function() trims = trims + 1 end,
    }).start(most, "80 443", "clients")
    local thread = nginx.timers[1]
    thread[1](false, select(2, unpack(thread)))
    return trims, turn - 1
end

local function waiting(count, ms, is_unanswered)
    local found = {}
    for socket = 1, count do
        table.insert(found, { socket = socket, ms = ms, is_unanswered = is_unanswered })
    end
    return found
end

return {
    { "closes the oldest connections of a client with more than an eighth of all", function()
        local greedy = waiting(130, 300)
        greedy[7].ms, greedy[9].ms = 400, 500
        expect(guard().choose(600, { greedy = greedy, other = waiting(128, 300) }, 1024, false), { 9, 7 })
    end },
    { "leaves a client the time to send a head", function()
        expect(#guard().choose(600, { greedy = waiting(200, 250) }, 1024, false), 0)
    end },
    { "does not know the clients of proxies apart", function()
        expect(#guard().choose(600, { proxy = waiting(500, 9000) }, 1024, true), 0)
    end },
    { "returns memory once when a peak is over", function(nginx)
        expect((run(nginx, { 5, 300, 4000, 3000, 1999, 1500, 1400 })), 2)
    end },
    { "returns memory after each peak, but not after small ones", function(nginx)
        expect((run(nginx, { 1000, 10, 255, 10, 600, 10 })), 3)
    end },
    { "returns memory when it is replaced", function(nginx)
        expect((run(nginx, { 5 })), 1)
    end },
    { "is quiet in a worker whose master died before it began", function(nginx)
        local _, sleeps = run(nginx, { 5, 5 }, 1)
        expect(sleeps, 0)
    end },
    { "calls the function of the user in each worker", function(nginx)
        local calls = 0
        monohull_init_worker = function() calls = calls + 1 end -- luacheck: ignore 111
        run(nginx, { 1 })
        monohull_init_worker = nil -- luacheck: ignore 111
        expect(calls, 1)
    end },
    { "cuts heads short when nearly no connection is left, whoever sends them", function()
        local late, early, answered = waiting(1, 5001, true), waiting(1, 5000, true), waiting(1, 9000, false)
        late[1].socket = 77
        local clients = { a = late, b = early, c = answered }
        expect(guard().choose(961, clients, 1024, true), { 77 })
        expect(guard().choose(960, clients, 1024, true), {})
    end },
}
