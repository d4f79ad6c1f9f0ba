--- Runs the cases of one file, and prints a line for each: `ok`, or `failed` and why, then its name.
-- Usage: lua5.1 run.lua DIRECTORY_OF_MODULES CASES
local modules, cases = arg[1], arg[2]
local here = arg[0]:match("^(.*)/")
package.path = here .. "/?.lua;" .. modules .. "/?.lua;" .. package.path

local fake_nginx = require "fake_nginx"
local real_io = io

for _, case in ipairs(dofile(cases)) do
    local name, f = case[1], case[2]
    io = real_io
    local ok, problem = pcall(f, fake_nginx.new())
    print(ok and "ok" or "failed " .. tostring(problem):gsub("%s+", " "), name)
end
