--- Changes of dynamic routes from the supervisor: a version, then a line for each host, with its target, or without one
-- if the route was removed.
local known_hosts = require "monohull.known_hosts"

local M = {}

--- Content handler of the socket for changes. When it responds, all nginx workers use the changes.
function M.receive()
    ngx.req.read_body()
    local version, changes = (ngx.req.get_body_data() or ""):match("^(%d+)\n(.*)$")
    if not version then return ngx.exit(400) end
    -- before the hosts: a question with an older response checks the version after storing the response
    known_hosts.set_version(tonumber(version))
    for host, target in changes:gmatch("(%S+) ?(%S*)\n") do
        if target == "" then
            known_hosts.set_unknown(host)
        else
            known_hosts.set_target(host, target)
            known_hosts.clear_unknown(host)
        end
    end
    ngx.print("")
end

return M
