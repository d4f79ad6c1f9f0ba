import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { filtersWithLua } from '../../../supervisor/nginx/own-files.ts'

describe("the user's nginx files", () => {
  it('have a Lua filter or logger of responses, in any form of the directive', () => {
    const directives = ['header_filter_by_lua_block { x() }', 'log_by_lua_file a.lua;', "body_filter_by_lua 'x()';"]
    for (const text of directives) assert.ok(filtersWithLua(['', `server_tokens off;\n  ${text}\n`]), text)
  })

  it('have none in a comment, nor with Lua of another phase', () => {
    assert.ok(!filtersWithLua(['# log_by_lua_block { }', 'access_by_lua_block { }', 'set $catalog_by_lua 1;']))
    assert.ok(!filtersWithLua([]))
  })
})
