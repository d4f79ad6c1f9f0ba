--- Handover of an nginx worker's clients on reload: docs/decisions/048-old-workers-hand-over.md.
-- nginx's master tells an old worker to quit, and nginx closes its idle connections at once, with what is on its way on
-- them. The worker reads the master's messages itself, and quits only when its clients have been told.
local ffi = require "ffi"

ffi.cdef [[
    typedef struct { uintptr_t command; int pid; intptr_t slot; int descriptor; } monohull_message;
    typedef struct monohull_block { char *last; char *end; struct monohull_block *next; } monohull_block;
    typedef struct { void *modules; monohull_block *pool; void *log; } monohull_cycle;
    extern monohull_cycle *ngx_cycle;
    extern int ngx_channel;
    extern int ngx_quit;
    extern int ngx_terminate;
    extern int ngx_reopen;
    void ngx_close_listening_sockets(monohull_cycle *cycle);
    intptr_t recv(int socket, void *buffer, size_t length, int flags);
    int epoll_ctl(int epoll, int operation, int descriptor, void *event);
]]

--- Commands of src/os/unix/ngx_process_cycle.h.
local quit, terminate, reopen = 3, 4, 5
local dont_wait = 0x40
local delete = 2

--- Descriptors among which nginx's epoll is: it is opened before those of connections.
local first_descriptors = 512
--- `keepalive_time` of snippets/timeouts.conf, in ms. No other setting has this value.
local keepalive_time = 3599973

--- Time without activity after which a connection is not in use, and time for all clients together. A busy machine can
-- stop a client for half a second.
local quiet_ms = 1000
local most_seconds = 2
local look_seconds = 0.05
--- Time after which every old worker has been told and accepts no connection: more than the pause between two looks.
-- A client that was told before could meet another old worker, and be sent on twice; a gRPC call is repeated once only.
local others_seconds = 0.3

local message = ffi.new("monohull_message")
local is_ours = false

local M = {}

--- Keeps nginx from reading the master's messages: /proc/self/fdinfo shows which epoll watches them.
-- Returns whether that was possible.
local function take_channel()
    local channel = tostring(ffi.C.ngx_channel)
    for epoll = 3, first_descriptors do
        local file = io.open("/proc/self/fdinfo/" .. epoll)
        local text = file and file:read("*a") or ""
        if file then file:close() end
        if text:match("tfd:%s*" .. channel .. "%s") then
            return ffi.C.epoll_ctl(epoll, delete, ffi.C.ngx_channel, ffi.new("char[16]")) == 0
        end
    end
    return false
end

--- Whether the master has told this worker to quit. Its other messages are passed on to nginx.
local function is_told_to_quit()
    local is_told = false
    while ffi.C.recv(ffi.C.ngx_channel, message, ffi.sizeof(message), dont_wait) == ffi.sizeof(message) do
        local command = tonumber(message.command)
        if command == quit then is_told = true end
        if command == terminate then ffi.C.ngx_terminate = 1 end
        if command == reopen then ffi.C.ngx_reopen = 1 end
    end
    return is_told
end

--- Makes nginx take every connection for too old: it sends `Connection: close` with the next response, or GOAWAY with
-- the next stream. The settings of all locations are in the memory of the configuration.
function M.expire_connections(block)
    local low = keepalive_time
    while block ~= nil do
        local words = ffi.cast("uint32_t *", block)
        for index = 0, (block.last - ffi.cast("char *", block)) / 4 - 2, 2 do
            if words[index] == low and words[index + 1] == 0 then words[index] = 0 end
        end
        block = block.next
    end
end

--- Accepts no more connections, and waits until the clients of the present ones have been told.
local function hand_over(silence_ms)
    ffi.C.ngx_close_listening_sockets(ffi.C.ngx_cycle)
    local began = ngx.now()
    local ends, are_expired = began + most_seconds, false
    repeat
        if not are_expired and ngx.now() - began >= others_seconds then
            M.expire_connections(ffi.C.ngx_cycle.pool)
            are_expired = true
        end
        ngx.sleep(look_seconds)
        is_told_to_quit()
    until ngx.now() >= ends or (silence_ms() or quiet_ms) >= quiet_ms or ngx.worker.exiting()
end

--- Looks whether this worker was replaced. If so, hands its clients over and lets nginx quit.
-- `silence_ms()`: time since any of the open connections was used; nil if there are none.
function M.tick(silence_ms)
    is_ours = is_ours or take_channel()
    if not is_ours or not is_told_to_quit() then return end
    local is_done, problem = pcall(hand_over, silence_ms)
    if not is_done then ngx.log(ngx.ERR, "monohull: cannot hand over clients: ", problem) end
    ffi.C.ngx_quit = 1
end

return M
