--- Certificates for names without a server block (`tls.on_demand`): docs/decisions/027-certificates-on-demand.md.
local ssl = require "ngx.ssl"
local lrucache = require "resty.lrucache"

local max_pairs = 1000
--- How long an nginx worker uses a file that it has read.
local fresh_seconds = 10
--- The supervisor starts to listen shortly after nginx, and again after a reload.
local connect_tries = 10
local retry_seconds = 0.2
local connect_timeout_ms = 1000
--- Below nginx's client_header_timeout, which bounds handshakes too.
local response_timeout_ms = 10000

--- Certificates and keys of this nginx worker, by name.
local kept = lrucache.new(max_pairs)

local M = {}

--- Whether a CA could issue a certificate for a name: at least two labels, not an address.
local function is_host_name(name)
    return #name <= 253
        and not name:find("..", 1, true)
        and name:find("^[a-z0-9][a-z0-9.-]*%.[a-z][a-z0-9-]*$") ~= nil
end

--- The certificate and key in a file; nil when it is missing or unusable.
local function read_pair(path)
    local file = io.open(path)
    if not file then return nil end
    local text = file:read("*a")
    file:close()
    local chain, key = ssl.parse_pem_cert(text), ssl.parse_pem_priv_key(text)
    return chain and key and { chain = chain, key = key }
end

--- The network of a client, in hexadecimal: its IPv4 address, or the first half of its IPv6 address.
-- Behind a balancer with the PROXY protocol, it is the balancer's.
local function client_network()
    local address, kind = ssl.raw_client_addr()
    if not address or kind == "unix" then return "local" end
    local network = address:sub(1, kind == "inet6" and 8 or 4)
    return (network:gsub(".", function(character) return ("%02x"):format(character:byte()) end))
end

--- Asks the supervisor for a certificate. After its response, the file exists or there is no certificate.
local function request_certificate(ask_socket, name)
    for _ = 1, connect_tries do
        local socket = ngx.socket.tcp()
        socket:settimeouts(connect_timeout_ms, connect_timeout_ms, response_timeout_ms)
        if socket:connect(ask_socket) then
            if socket:send("GET /" .. name .. "/" .. client_network() .. " HTTP/1.0\r\n\r\n") then socket:receive() end
            socket:close()
            return
        end
        ngx.sleep(retry_seconds)
    end
end

--- The certificate and key for a name: from memory if they were read within the last seconds, otherwise from the file
-- or the supervisor.
local function find_pair(directory, ask_socket, name)
    local pair = kept:get(name)
    if pair then return pair end
    local path = directory .. "/" .. name .. ".pem"
    pair = read_pair(path)
    if not pair then
        request_certificate(ask_socket, name)
        pair = read_pair(path)
    end
    if pair then kept:set(name, pair, fresh_seconds) end
    return pair
end

--- Whether a wildcard (`*.a.test`), which stands for one label, covers a name.
local function is_covered(name, wildcard)
    return name:match("^[^.]+(%..+)$") == wildcard:sub(2)
end

--- Handshake: serves the certificate for the requested name, and rejects the handshake if there is none.
-- Clients that request no name, or not a host name, get the server's own certificate.
-- @param directory contains NAME.pem: the chain, then its key
-- @param ask_socket `unix:` and the path of the socket that the supervisor responds at
-- @param wildcard the server's name, for which it has a certificate; nil: its certificate covers none of the names
function M.serve(directory, ask_socket, wildcard)
    local name = (ssl.server_name() or ""):lower()
    if not is_host_name(name) or (wildcard and is_covered(name, wildcard)) then return end
    local pair = find_pair(directory, ask_socket, name)
    if not pair then return ngx.exit(ngx.ERROR) end
    ssl.clear_certs()
    if not (ssl.set_cert(pair.chain) and ssl.set_priv_key(pair.key)) then return ngx.exit(ngx.ERROR) end
end

return M
