--- Compression that would tell an eavesdropper about secrets: docs/guide/front.md.
local M = {}

--- While nginx sets variables for a location: a client that says who it is seems to accept no compression, for nginx
-- and for the app. Browsers send cookies and passwords also with requests that other sites cause.
function M.skip_with_cookies()
    if ngx.var.http_cookie or ngx.var.http_authorization then ngx.req.clear_header("Accept-Encoding") end
end

return M
