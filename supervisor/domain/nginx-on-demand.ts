import { quoteLua } from './nginx-text.ts'

/** Where nginx's workers find certificates for names that no server is for. */
export interface OnDemand {
  /** Folder with NAME.pem: the chain, then its key. */
  folder: string
  /** Path of the unix socket at which one is asked for: once it has answered, the file is there or not to be had. */
  socket: string
}

/** How long a worker trusts what it has read. */
const freshSeconds = 10
/** The supervisor listens a moment after nginx does, and anew after a reload. */
const connectTries = 10
/** Below nginx's client_header_timeout, which bounds handshakes too. */
const longestWaitMs = 10_000
const keptPairs = 1000

/**
 * For a server whose certificates may not be for the name that the client asks for. Names that have a file are served without
 * asking anybody; for the first handshake of another the supervisor is asked, and without a certificate it is refused. Clients
 * that ask for no name, or for what is no host name, get the server's own certificate.
 */
export function renderOnDemand({ folder, socket }: OnDemand): string[] {
  return [
    '# anybody may ask for any name: no line for each while the supervisor is away',
    'lua_socket_log_errors off;',
    'ssl_certificate_by_lua_block {',
    '    local ssl = require "ngx.ssl"',
    '    local name = (ssl.server_name() or ""):lower()',
    '    if #name > 253 or name:find("..", 1, true) or not name:find("^[a-z0-9][a-z0-9.-]*%.[a-z][a-z0-9-]*$") then',
    '        return',
    '    end',
    '    local kept = package.loaded["monohull.on_demand"]',
    '    if not kept then',
    `        local cache = require "resty.lrucache"`,
    `        kept = cache.new(${keptPairs})`,
    '        package.loaded["monohull.on_demand"] = kept',
    '    end',
    '    local function read()',
    `        local file = io.open(${quoteLua(`${folder}/`)} .. name .. ".pem")`,
    '        if not file then return nil end',
    '        local text = file:read("*a")',
    '        file:close()',
    '        local chain, key = ssl.parse_pem_cert(text), ssl.parse_pem_priv_key(text)',
    '        return chain and key and { chain = chain, key = key }',
    '    end',
    '    local function ask()',
    `        local question = "GET /" .. name .. " HTTP/1.0\\r\\n\\r\\n"`,
    `        for attempt = 1, ${connectTries} do`,
    '            local socket = ngx.socket.tcp()',
    `            socket:settimeouts(1000, 1000, ${longestWaitMs})`,
    `            if socket:connect(${quoteLua(`unix:${socket}`)}) then`,
    '                if socket:send(question) then socket:receive() end',
    '                socket:close()',
    '                return',
    '            end',
    '            ngx.sleep(0.2)',
    '        end',
    '    end',
    '    local pair = kept:get(name) or read()',
    '    if not pair then',
    '        ask()',
    '        pair = read()',
    '    end',
    '    if not pair then return ngx.exit(ngx.ERROR) end',
    `    if not kept:get(name) then kept:set(name, pair, ${freshSeconds}) end`,
    '    ssl.clear_certs()',
    '    if not (ssl.set_cert(pair.chain) and ssl.set_priv_key(pair.key)) then return ngx.exit(ngx.ERROR) end',
    '}',
  ]
}
