--- Connections that wait in listening unix sockets, as the kernel reports them: sock_diag(7), which `ss -xl` uses too.
local ffi = require "ffi"

ffi.cdef [[
    int socket(int domain, int type, int protocol);
    intptr_t send(int socket, const void *buffer, size_t length, int flags);
    intptr_t recv(int socket, void *buffer, size_t length, int flags);
    int close(int descriptor);
]]

local netlink, raw, close_on_exec, sock_diag, unix = 16, 3, 0x80000, 4, 1
local by_family, request, dump = 20, 0x1, 0x300
local dont_wait = 0x40
local listening, show_queue, queue_attribute = 2 ^ 10, 0x10, 4
--- Bytes of struct nlmsghdr, unix_diag_req, unix_diag_msg and nlattr.
local head_bytes, question_bytes, answer_bytes, attribute_bytes = 16, 24, 16, 4
--- As much as the kernel writes at once.
local buffer_bytes = 32768

local M = {}

--- Question about all listening sockets.
local function question()
    local bytes = ffi.new("uint8_t[?]", head_bytes + question_bytes)
    local words, halves = ffi.cast("uint32_t *", bytes), ffi.cast("uint16_t *", bytes)
    words[0] = head_bytes + question_bytes
    halves[2], halves[3] = by_family, request + dump
    bytes[head_bytes] = unix
    words[5], words[7] = listening, show_queue
    return bytes
end

local function aligned(size)
    return math.ceil(size / 4) * 4
end

--- Inode and queue of the socket in a message; nothing if it has no queue.
local function read_message(at, size)
    local inode = ffi.cast("uint32_t *", at + head_bytes)[1]
    local offset = head_bytes + answer_bytes
    while offset + attribute_bytes <= size do
        local attribute = ffi.cast("uint16_t *", at + offset)
        if attribute[0] < attribute_bytes then return nil end
        if attribute[1] == queue_attribute then
            return tonumber(inode), tonumber(ffi.cast("uint32_t *", at + offset + attribute_bytes)[0])
        end
        offset = offset + aligned(attribute[0])
    end
end

--- Reads the messages in the buffer. Returns whether more follow.
local function read_messages(buffer, length, found)
    local offset = 0
    while offset + head_bytes <= length do
        local at = buffer + offset
        local size, kind = ffi.cast("uint32_t *", at)[0], ffi.cast("uint16_t *", at)[2]
        if kind ~= by_family or size < head_bytes then return false end
        local inode, queue = read_message(at, size)
        if inode then table.insert(found, "queue " .. inode .. " " .. queue) end
        offset = offset + aligned(size)
    end
    return true
end

--- A line for each listening socket of this network namespace, `queue INODE CONNECTIONS`; none if the kernel does not
-- tell.
function M.read()
    local found = {}
    local socket = ffi.C.socket(netlink, raw + close_on_exec, sock_diag)
    if socket < 0 then return found end
    local buffer = ffi.new("uint8_t[?]", buffer_bytes)
    local is_open = ffi.C.send(socket, question(), head_bytes + question_bytes, 0) > 0
    while is_open do
        local length = tonumber(ffi.C.recv(socket, buffer, buffer_bytes, dont_wait))
        is_open = length > 0 and read_messages(buffer, length, found)
    end
    ffi.C.close(socket)
    return found
end

return M
