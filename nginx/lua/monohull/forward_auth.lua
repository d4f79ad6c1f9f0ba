--- Access that another server decides about: docs/decisions/093-forward-auth.md.

--- Cookies of a response: `mostCookies` in supervisor/front/forward-auth.ts.
local most_cookies = 8

local M = {}

--- Header filter of the question to the auth server: keeps its cookies for the response to the client, which shares
-- the variables, and makes one line of each named header, for the app. nginx itself would keep only the first cookie
-- or join them, and before 1.23 keep only the first line of a header.
function M.keep_headers(...)
    for _, name in ipairs({ ... }) do
        local lines = ngx.header[name]
        if type(lines) == "table" then ngx.header[name] = table.concat(lines, ", ") end
    end
    local cookies = ngx.header["Set-Cookie"]
    if type(cookies) ~= "table" then cookies = { cookies } end
    for index = 1, most_cookies do ngx.var["monohull_auth_cookie_" .. index] = cookies[index] or "" end
    if #cookies > most_cookies then
        ngx.log(ngx.ERR, "monohull: the auth server sets ", #cookies, " cookies, and ", most_cookies, " are passed on")
    end
end

--- Whether a browser opens a page, and would show that of another address. Programs and scripts need the status.
local function is_navigation()
    local var = ngx.var
    if var.http_upgrade or (var.http_x_requested_with or ""):lower() == "xmlhttprequest" then return false end
    local mode = var.http_sec_fetch_mode
    if mode then return mode == "navigate" end
    return var.monohull_page_type == "html"
end

--- The address to sign in at. In `url`, `{url}` and `{path}` stand for the address to return to; without it, the auth
-- server has named the address.
local function address(url)
    if not url then
        local given = ngx.var.monohull_sign_in or ""
        return given:match("^https?://[^%c%s]+$") or given:match("^/[^/\\%c%s][^%c%s]*$")
    end
    local path = ngx.var.request_uri
    local values = { path = path, url = ngx.var.monohull_proto .. "://" .. ngx.var.monohull_host .. path }
    return (url:gsub("{(%a+)}", function(name) return ngx.escape_uri(values[name]) end))
end

--- Content of the response to a client without a session.
function M.sign_in(url)
    local target = is_navigation() and address(url)
    if not target then return ngx.exit(ngx.HTTP_UNAUTHORIZED) end
    ngx.req.discard_body()
    ngx.header["WWW-Authenticate"] = nil
    ngx.header["Cache-Control"] = "no-store"
    local method = ngx.var.monohull_method
    local keeps_method = method == "GET" or method == "HEAD"
    return ngx.redirect(target, keeps_method and ngx.HTTP_MOVED_TEMPORARILY or ngx.HTTP_SEE_OTHER)
end

return M
