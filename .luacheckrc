std = "ngx_lua"
files["test/unit/lua"] = { std = "lua51", globals = { "ngx", "io" } }
