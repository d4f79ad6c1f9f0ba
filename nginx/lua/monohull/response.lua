--- Responses of apps and upstreams that nginx would misread: docs/decisions/055-responses-that-nginx-misreads.md.
local M = {}

--- Status that stands for a response without a head, which nginx takes for HTTP/0.9.
local headless = 9

--- Log line about a misread response. nginx adds the request and the address.
local function explain(status)
    if status == headless then
        return "the response has no HTTP head; the client gets 502. The app or upstream must speak HTTP at this address"
    end
    if status == 101 then
        return "the response changes the protocol (101), but no WebSocket was asked for; the client gets 502"
    end
    return "the response has the informational status " .. status .. ", which nginx before 1.29 takes for final; "
        .. "the client gets 502. The app must send none (103 Early Hints: off in its server), or nginx be newer"
end

--- Header filter: responds with 502 in place of such a response, and returns whether it did.
-- @param kind `app`: notes which worker responds
function M.check(kind)
    if kind == "app" then require("monohull.worker").note() end
    local status = ngx.status
    if status >= 200 or (status == 101 and ngx.var.monohull_upgrade ~= "") then return false end
    ngx.log(ngx.ERR, explain(status))
    ngx.exit(502)
    return true
end

--- Body filter of a page: nginx writes no head where it took a response for HTTP/0.9, if the client uses HTTP/1.
function M.add_head()
    if ngx.ctx.monohull_has_head then return end
    ngx.ctx.monohull_has_head = true
    if ngx.req.http_version() ~= 0.9 or not ngx.var.server_protocol:find("^HTTP/1") then return end
    local lines = { ngx.var.server_protocol .. " " .. ngx.status .. " Bad Gateway" }
    for name, value in pairs(ngx.resp.get_headers()) do
        for _, each in ipairs(type(value) == "table" and value or { value }) do
            if name ~= "connection" then table.insert(lines, name .. ": " .. each) end
        end
    end
    table.insert(lines, "connection: close\r\n\r\n")
    local body = ngx.var.request_method == "HEAD" and "" or ngx.arg[1]
    ngx.arg[1] = table.concat(lines, "\r\n") .. body
end

return M
