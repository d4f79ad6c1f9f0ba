import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inlineConstants } from '../../../supervisor/nginx/constant-maps.ts'

/** http.conf after inlining, beside snippets that it includes. */
function inlined(http: string, others: Record<string, string> = {}): string {
  const includes = ['rendered/http.conf', ...Object.keys(others).filter(name => !name.startsWith('own/'))]
  const files = new Map([
    ['nginx.conf', includes.map(name => `include ${name};`).join('\n')],
    ['rendered/http.conf', http],
    ...Object.entries(others),
  ])
  return inlineConstants(files, name => name.startsWith('own/')).get('rendered/http.conf') ?? ''
}

describe('maps with one value', () => {
  it('gives the value to those who use the variable, and keeps the map', () => {
    assert.equal(
      inlined(
        `map '' $proto { default $scheme; }\nproxy_set_header X-Forwarded-Proto $proto;\nreturn 308 \${proto}s://x;`,
      ),
      `map '' $proto { default $scheme; }\nproxy_set_header X-Forwarded-Proto $scheme;\nreturn 308 \${scheme}s://x;`,
    )
  })

  it('follows a chain of maps, whatever their order', () => {
    const http = inlined(
      "proxy_set_header A $a;\nmap $b $a { default $c; '' $d$e; }\nmap '' $b { default ''; }\nmap '' $d { default t=$msec; }",
    )
    assert.match(http, /^proxy_set_header A t=\$msec\$e;/)
  })

  it('writes an empty value as a parameter of its own, but not within a string', () => {
    const http = inlined(
      "map '' $a { default ''; }\nproxy_set_header A $a;\nlog_format x 'one $a two' \"$a\";\nadd_header B $a always;",
    )
    assert.match(http, /proxy_set_header A '';\nlog_format x 'one {2}two' "";\nadd_header B '' always;/)
  })

  it('chooses the entry of a literal source, in any case', () => {
    assert.match(
      inlined("map 'On' $a {\n    # a comment\n    default no;\n    on yes;\n}\nset_real_ip_from $a;"),
      /from yes;/,
    )
  })
})

describe('maps that stay', () => {
  for (const [what, http] of [
    ['depends on the request', 'map $host $a { default 1; }\nadd_header A $a;'],
    ['has regular expressions for the source', "map 'x' $a { default 1; ~x 2; }\nadd_header A $a;"],
    ['is set in a location', "map '' $a { default 1; }\nset $a 2;\nadd_header A $a;"],
    ['is set by Lua', "map '' $a { default 1; }\nset_by_lua_block $a { return 2 }\nadd_header A $a;"],
    [
      'is set from the response of an auth server',
      "map '' $a { default 1; }\nauth_request_set $a $b;\nadd_header A $a;",
    ],
    ['is defined twice', "map '' $a { default 1; }\nmap '' $a { default 2; }\nadd_header A $a;"],
    ['has a value that needs quotes', "map '' $a { default 'b c'; }\nadd_header A $a;"],
    ['is a condition', "map '' $a { default 1; }\nif ($a) {\n}"],
    ['has an entry without a value', "map '' $a {\n    volatile;\n    default 1;\n}\nadd_header A $a;"],
    ['depends on itself', 'map $b $a { default $b; }\nmap $a $b { default $a; }\nadd_header A $a;'],
  ])
    it(`${what}`, () => assert.equal(inlined(http ?? ''), http))

  it('is set in a file of the user', () => {
    const http = "map '' $a { default 1; }\nadd_header A $a;"
    assert.equal(inlined(http, { 'own/etc/app/server.conf': '  set $a 2;' }), http)
  })

  it('is used in a file of the user', () => {
    const files = new Map([
      ['nginx.conf', 'include rendered/http.conf;'],
      ['rendered/http.conf', "map '' $a { default 1; }"],
      ['own/etc/app/x.conf', 'add_header A $a;'],
    ])
    assert.deepEqual(
      inlineConstants(files, name => name.startsWith('own/')),
      files,
    )
  })

  it('is assigned in a Lua module', () => {
    const http = "map '' $a { default 1; }\nadd_header A $a;"
    assert.equal(inlined(http, { 'lua/monohull/x.lua': 'ngx.var.a = "2"' }), http)
  })

  it('is in a file that nothing includes', () => {
    const files = new Map([
      ['nginx.conf', 'include rendered/http.conf;'],
      ['rendered/http.conf', 'add_header A $a;'],
      ['snippets/unused.conf', "map '' $a { default 1; }"],
    ])
    assert.deepEqual(
      inlineConstants(files, () => false),
      files,
    )
  })
})
