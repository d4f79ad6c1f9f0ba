--- The server of a dynamic route that leads to an address.
local balancer = require "ngx.balancer"

local M = {}

--- Balancer phase: connects to `$monohull_address`.
function M.connect()
    local address, port = ngx.var.monohull_address:match("^(.*):(%d+)$")
    local ok, problem = balancer.set_current_peer(address, tonumber(port))
    if not ok then
        ngx.log(ngx.ERR, problem)
        return ngx.exit(502)
    end
end

return M
