local expect = require "expect"

local function read(text) return require("monohull.route_text").read(text) end

return {
    { "reads targets with weights, and settings", function()
        local route = read("address:10.0.0.2:80*2,address:[2001:db8::2]:80,app:web;sticky;body=5;read=300;users=x=")
        expect(route.targets[1], {
            name = "address:10.0.0.2:80", address = "10.0.0.2:80", host = "10.0.0.2", port = 80, weight = 2,
            id = "00000013",
        })
        expect(route.targets[2].address, "[2001:db8::2]:80")
        expect({ route.targets[3].name, route.targets[3].address, route.targets[3].weight }, { "app:web", nil, 1 })
        expect({ route.is_sticky, route.body, route.read, route.users }, { true, 5, 300, "x=" })
        expect({ read("app:web").is_sticky, route.address }, {})
        expect(read("address:10.0.0.2:80").address, "10.0.0.2:80")
        expect(read("address:10.0.0.2:80;sticky").address, nil)
    end },
    { "reads nothing else", function()
        for _, text in ipairs({
            "", "none", "web", ",", "app:web,", ",app:web", "app:web,,app:b", "app:web*0", "app:web*1000", "app:web*x",
            "app:web**2", "app:Web", "app:", "address:a.test:80", "address:10.0.0.2", "address:10.0.0.2:80x",
            "address:unix:/x:80", "address:[fe80::1%eth0]:80", "upstream:a b", "app:web;", "app:web;x",
            "app:web;body=x",
            "app:web;body=", "app:web;sticky=1", ";sticky", "app:web;read=-1", ("app:a,"):rep(32) .. "app:a",
        }) do
            expect({ text, read(text) }, { text, nil })
        end
    end },
    { "reads each text once, and forgets all of them now and then", function()
        local first = read("app:web*2")
        expect(read("app:web*2") == first, true)
        for count = 1, 10000 do read("app:a" .. count) end
        expect(read("app:web*2") == first, false)
    end },
}
