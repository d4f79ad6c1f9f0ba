--- Handshakes of a CA that validates a name by TLS-ALPN-01 (RFC 8737): docs/decisions/065-tls-alpn-01-by-lua.md.
local base = require "resty.core.base"
local clienthello = require "ngx.ssl.clienthello"
local ffi = require "ffi"

ffi.cdef [[
typedef int (*monohull_alpn_select)(void *ssl, const unsigned char **out, unsigned char *length,
    const unsigned char *offered, unsigned int offered_length, void *argument);
typedef int (*monohull_name_select)(void *ssl, int *alert, void *argument);
long SSL_CTX_callback_ctrl(void *context, int command, monohull_name_select select);
void *TLS_server_method(void);
void *SSL_CTX_new(const void *method);
void SSL_CTX_free(void *context);
void ERR_clear_error(void);
int SSL_CTX_use_certificate_chain_file(void *context, const char *path);
int SSL_CTX_use_PrivateKey_file(void *context, const char *path, int type);
void SSL_CTX_set_alpn_select_cb(void *context, monohull_alpn_select select, void *argument);
void *SSL_set_SSL_CTX(void *ssl, void *context);
void *ngx_http_lua_ffi_get_req_ssl_pointer(void *request, const char **problem);
]]

local alpn_extension = 16
--- The list of protocols that consists of this one.
local acme_only = "\0\11\10acme-tls/1"
local pem = 1
--- SSL_CTRL_SET_TLSEXT_SERVERNAME_CB
local set_name_select = 53
local ok = 0

local protocol = ffi.new("unsigned char[10]", "acme-tls/1")
--- OpenSSL calls it when it reads the client's list. The variable keeps it alive as long as this nginx worker.
local select_acme = ffi.cast("monohull_alpn_select", function(_, out, length)
    out[0], length[0] = protocol, 10
    return ok
end)

--- Without one, OpenSSL would call that of nginx, which gives the connection the context of the server with this name.
local keep_context = ffi.cast("monohull_name_select", function() return ok end)

local M = {}

--- OpenSSL's context with the certificate and key in a file; nil without a usable one.
local function new_context(path)
    -- anybody can ask for any name: OpenSSL would keep an error for each, and nginx would log it as critical
    local file = io.open(path)
    if not file then return nil end
    file:close()
    local context = ffi.C.SSL_CTX_new(ffi.C.TLS_server_method())
    if context == nil then return nil end
    local is_usable = ffi.C.SSL_CTX_use_certificate_chain_file(context, path) == 1
        and ffi.C.SSL_CTX_use_PrivateKey_file(context, path, pem) == 1
    if not is_usable then
        ffi.C.SSL_CTX_free(context)
        ffi.C.ERR_clear_error()
        return nil
    end
    ffi.C.SSL_CTX_set_alpn_select_cb(context, select_acme, nil)
    ffi.C.SSL_CTX_callback_ctrl(context, set_name_select, keep_context)
    return context
end

--- Serves the challenge of a name, from NAME.pem in the directory, to a client that offers only its protocol.
-- All other handshakes go on as they are, and this one fails without a file: nginx does not know the protocol.
-- Of the context that nginx gave the connection nothing is left, not even its callbacks.
function M.serve(directory)
    if clienthello.get_client_hello_ext(alpn_extension) ~= acme_only then return end
    local name = clienthello.get_client_hello_server_name()
    if not name or not name:find("^[a-z0-9][a-z0-9.-]*$") then return end
    local context = new_context(directory .. "/" .. name .. ".pem")
    if not context then return end
    local connection = ffi.C.ngx_http_lua_ffi_get_req_ssl_pointer(base.get_request(), ffi.new("const char *[1]"))
    -- the connection holds a reference of its own
    if connection ~= nil then ffi.C.SSL_set_SSL_CTX(connection, context) end
    ffi.C.SSL_CTX_free(context)
end

return M
