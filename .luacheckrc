std = "ngx_lua"
files["test/unit/nginx/lua"] = { std = "lua51", globals = { "ngx", "io", "math" } }
