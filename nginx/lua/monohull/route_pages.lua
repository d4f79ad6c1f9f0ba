--- Pages of dynamic routes in place of a response.
local M = {}

--- Ends the request with a page. It is a file, so its method is GET.
function M.show(name)
    if ngx.var.request_method ~= "HEAD" then ngx.req.set_method(ngx.HTTP_GET) end
    return ngx.exec("/.monohull/" .. name .. "." .. ngx.var.monohull_page_type)
end

--- Header filter of a page.
function M.set_status(status)
    ngx.status = tonumber(status)
end

return M
