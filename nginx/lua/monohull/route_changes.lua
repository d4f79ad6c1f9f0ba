--- Changes of dynamic routes from the supervisor: a version and the stream of changes that it belongs to, then a line
-- for each host or wildcard, with its route, or without one if it was removed. A line with `*` stands for all.
local known_hosts = require "monohull.known_hosts"

local M = {}

--- Content handler of the socket for changes. When it responds, all nginx workers use the changes.
function M.receive()
    ngx.req.read_body()
    local version, stream, changes = (ngx.req.get_body_data() or ""):match("^(%d+) (%S+)\n(.*)$")
    if not version then return ngx.exit(400) end
    -- before the hosts: a question with an older response checks the version after storing the response
    known_hosts.set_version(tonumber(version))
    for name, route in changes:gmatch("(%S+) ?(%S*)\n") do
        if name == "*" then
            known_hosts.change_all()
        else
            known_hosts.change(name, route ~= "" and route or nil)
        end
    end
    known_hosts.hear(stream)
    ngx.print("")
end

return M
