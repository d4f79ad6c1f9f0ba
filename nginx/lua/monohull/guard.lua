--- Guard of an nginx worker's connections: docs/decisions/042-connections-in-reserve.md.
-- nginx counts requests, not connections whose request head never ends, and it keeps the memory of a peak.
local ffi = require "ffi"

ffi.cdef [[
    extern unsigned long *ngx_stat_active;
    extern int ngx_parent;
    int getpeername(int socket, void *address, unsigned int *length);
    int getsockname(int socket, void *address, unsigned int *length);
    int getsockopt(int socket, int level, int name, void *value, unsigned int *length);
    int shutdown(int socket, int how);
    int malloc_trim(size_t pad);
    int getppid(void);
    int fcntl(int descriptor, int command, ...);
]]

local tick_seconds = 0.25
--- The same in a new worker, and how long it counts as new: one reload soon follows another at startup and in a rolling
-- restart.
local new_tick_seconds, new_seconds = 0.05, 5
--- Share of the time that it takes at most.
local most_time = 0.1
--- Number of connections from which a fall to a half frees memory.
local least_peak = 256
--- Time that a client has, in any case, to complete a request head.
local grace_ms = 250
--- The same while nearly all connections are in use, whatever their address.
local short_head_ms = 5000

--- Descriptors of an nginx worker that belong to no connection.
local other_descriptors = 256

local get_flags = 1
local tcp_level, tcp_info = 6, 11
local established = 1
local shut_both = 2
local inet, inet6 = 2, 10
--- struct tcp_info up to tcpi_bytes_acked (linux/tcp.h), and where its fields are.
local info_bytes, sent_at, received_at, acked_at = 128, 44 / 4, 52 / 4, 120 / 4

local info = ffi.new("uint32_t[?]", 64)
local info_state = ffi.cast("uint8_t *", info)
local address = ffi.new("uint8_t[?]", 128)
local family = ffi.cast("uint16_t *", address)
local length = ffi.new("unsigned int[1]")

local M = {}

--- Port in `address`.
local function port()
    return address[2] * 256 + address[3]
end

--- What counts as one client: an IPv4 address, or the /64 network of an IPv6 subscriber.
local function client()
    if family[0] == inet then return ffi.string(address + 4, 4) end
    if family[0] == inet6 then return ffi.string(address + 8, 8) end
end

--- A connection to one of our ports: its client, and how long it has been waiting for a response. Nil if it is none.
local function inspect(socket, ports)
    length[0] = 256
    if ffi.C.getsockopt(socket, tcp_level, tcp_info, info, length) ~= 0 then return nil end
    if length[0] < info_bytes or info_state[0] ~= established then return nil end
    local since_sent, since_received = info[sent_at], info[received_at]
    local is_unanswered = info[acked_at] == 0 and info[acked_at + 1] == 0
    length[0] = 128
    if ffi.C.getsockname(socket, address, length) ~= 0 or not ports[port()] then return nil end
    length[0] = 128
    if ffi.C.getpeername(socket, address, length) ~= 0 then return nil end
    local waiting_ms = (is_unanswered or since_received < since_sent) and since_sent or nil
    return client(), waiting_ms, is_unanswered, math.min(since_sent, since_received)
end

--- Descriptor after which none is open: a connection has one, and may have one for a file. Those that have ended leave
-- gaps of any length.
local function last_descriptor(most)
    return 2 * most + other_descriptors
end

--- Whether more than half of this worker's connections may be in use: it has as many descriptors, and perhaps more.
local function is_busy(most)
    if tonumber(ffi.C.ngx_stat_active[0]) <= most / 2 then return false end
    local used = 0
    for descriptor = 0, last_descriptor(most) do
        if ffi.C.fcntl(descriptor, get_flags) >= 0 then used = used + 1 end
        if used > most / 2 then return true end
    end
    return false
end

--- Open connections of this nginx worker to our ports, by client those whose client spoke last, and the time in ms
-- since one of them was used.
local function survey(most, ports)
    local open, waiting, silence_ms = 0, {}, nil
    for socket = 0, last_descriptor(most) do
        local from, waiting_ms, is_unanswered, unused_ms = inspect(socket, ports)
        if from then
            open = open + 1
            silence_ms = math.min(silence_ms or unused_ms, unused_ms)
            if waiting_ms then
                waiting[from] = waiting[from] or {}
                table.insert(waiting[from], { socket = socket, ms = waiting_ms, is_unanswered = is_unanswered })
            end
        end
    end
    return open, waiting, silence_ms
end

--- Which of these connections to close: the oldest of a client that has more than its share. If nearly none are left,
-- also all unanswered ones that take long.
function M.choose(open, waiting, most, is_behind_proxies)
    local chosen = {}
    for _, connections in pairs(waiting) do
        table.sort(connections, function(one, other) return one.ms > other.ms end)
        local excess = is_behind_proxies and 0 or #connections - most / 8
        for index, connection in ipairs(connections) do
            local is_late = open > most * 15 / 16 and connection.is_unanswered and connection.ms > short_head_ms
            local is_excess = index <= excess and connection.ms > grace_ms
            if is_excess or is_late then table.insert(chosen, connection.socket) end
        end
    end
    return chosen
end

--- Closes connections if more than half of them are in use. nginx sees that the client has gone.
local function relieve(most, ports, is_behind_proxies)
    if not is_busy(most) then return end
    local open, waiting = survey(most, ports)
    if open <= most / 2 then return end
    for _, socket in ipairs(M.choose(open, waiting, most, is_behind_proxies)) do
        ffi.C.shutdown(socket, shut_both)
    end
end

local function return_memory()
    collectgarbage()
    ffi.C.malloc_trim(0)
end

local peak = 0

--- Returns memory to the system when a peak is over.
local function release_memory()
    local active = tonumber(ffi.C.ngx_stat_active[0])
    if active > peak then
        peak = active
    elseif peak >= least_peak and active < peak / 2 then
        peak = active
        return_memory()
    end
end

--- Work of a tick.
local function watch(most, ports, is_behind_proxies)
    relieve(most, ports, is_behind_proxies)
    release_memory()
    if ngx.shared.monohull_bodies then require("monohull.bodies").tick() end
    if ngx.shared.monohull_counts then require("monohull.request_report").tick() end
end

--- Runs as long as the worker has its master, which may have died before: the supervisor waits for the workers of a
-- dead one to be quiet. A timer that is set again each time would need a free connection. No error ends it, because the
-- worker would not see that it was replaced.
local function run(premature, most, ports, is_behind_proxies)
    local function silence_ms() return select(3, survey(most, ports)) end
    local born = ngx.now()
    while not premature and not ngx.worker.exiting() and ffi.C.getppid() == ffi.C.ngx_parent do
        local before = os.clock()
        local is_done, problem = pcall(watch, most, ports, is_behind_proxies)
        if not is_done then ngx.log(ngx.ERR, "monohull: ", problem) end
        local spent = os.clock() - before
        require("monohull.handover").tick(silence_ms)
        local tick = ngx.now() - born < new_seconds and new_tick_seconds or tick_seconds
        ngx.sleep(math.max(tick, spent / most_time))
    end
    if ngx.shared.monohull_counts then require("monohull.request_report").tick() end
    -- one that was replaced has closed its idle connections, and may finish others for an hour
    if ngx.worker.exiting() then return_memory() end
end

--- Init phase of an nginx worker. `most`: its connections; `ports`: ours, such as `80 443`.
function M.start(most, ports, proxies)
    local own = {}
    for each in ports:gmatch("%d+") do own[tonumber(each)] = true end
    ngx.timer.at(0, run, tonumber(most), own, proxies == "proxies")
    if monohull_init_worker then monohull_init_worker() end -- luacheck: ignore 113
end

return M
