--- Passwords of a dynamic host, checked as nginx checks those of an htpasswd file.
local ffi = require "ffi"
-- declares nginx's cycle
require "monohull.handover"

ffi.cdef [[
    void *ngx_create_pool(size_t size, void *log);
    void ngx_destroy_pool(void *pool);
    intptr_t ngx_crypt(void *pool, unsigned char *key, unsigned char *salt, unsigned char **encrypted);
]]

local pool_bytes = 4096

local M = {}

--- A copy that nginx may read as a string of C.
local function copy(text)
    return ffi.new("unsigned char[?]", #text + 1, text)
end

--- Whether a password has a hash. Like nginx itself, this takes the time that the hash asks for.
local function has_hash(password, hash)
    local pool = ffi.C.ngx_create_pool(pool_bytes, ffi.C.ngx_cycle.log)
    if pool == nil then return false end
    local encrypted = ffi.new("unsigned char *[1]")
    local key, salt = copy(password), copy(hash)
    local is_hash = ffi.C.ngx_crypt(pool, key, salt, encrypted) == 0 and ffi.string(encrypted[0]) == hash
    ffi.C.ngx_destroy_pool(pool)
    return is_hash
end

--- Whether the request has the name and password of one of the users, lines of an htpasswd file.
function M.accepts(users)
    local encoded = (ngx.var.http_authorization or ""):match("^[Bb][Aa][Ss][Ii][Cc] +(%S+)$")
    local name, password = (encoded and ngx.decode_base64(encoded) or ""):match("^([^:%z]+):([^%z]*)$")
    if not name then return false end
    for line in users:gmatch("[^\n]+") do
        local user, hash = line:match("^([^:]+):(%S+)$")
        if user == name then return has_hash(password, hash) end
    end
    return false
end

return M
