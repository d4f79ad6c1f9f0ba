import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readDirectives } from './directives.ts'
import { findMistakes } from './rules.ts'

const home = join(import.meta.dirname, '../..')
const golden = join(home, 'test/unit/site/golden')

/** The whole configuration of which a golden file holds the rendered part. */
function readGolden(name: string) {
  const rendered = new Map(
    readFileSync(join(golden, name), 'utf8')
      .split(/^# ---- /m)
      .slice(1)
      .map(part => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
  )
  return readDirectives(readFileSync(join(home, 'nginx/nginx.conf'), 'utf8'), file =>
    file.startsWith('snippets/') ? readFileSync(join(home, 'nginx', file), 'utf8') : rendered.get(file),
  )
}

describe('the rendered configuration has none of the usual mistakes:', () => {
  for (const name of readdirSync(golden)) it(name, () => assert.deepEqual(findMistakes(readGolden(name)), []))
})

describe('the rules find', () => {
  const map = 'map $monohull_path $x { default ""; ~^/a(.*)$ $1; }'
  const mistakes: [string, string, RegExp][] = [
    [
      'a Host of the client',
      'location / { proxy_set_header Host $http_host; proxy_pass http://app; }',
      /^host spoofing/,
    ],
    ['a host from the query', 'location / { proxy_set_header Host a; proxy_pass http://$arg_to; }', /^request forgery/],
    [
      'a host that goes on',
      `${map} location / { proxy_set_header Host a; proxy_pass http://app$x; }`,
      /^request forgery/,
    ],
    ['a redirect anywhere', 'location / { return 302 $arg_to; }', /^a redirect to wherever/],
    ['a redirect to another host', 'location /a/ { return 302 /$x; }', /^a redirect to wherever/],
    ['a redirect to a longer name', `${map} location /a/ { return 302 https://b.test$x; }`, /^a redirect to wherever/],
    ['a redirect to a decoded path', 'location / { return 302 https://a.test$uri; }', /^a split answer/],
    ['an alias that leads out', 'location /files { alias /srv/files/; }', /^alias/],
    ['a lost header', 'server { add_header A 1; location / { add_header B 1; } }', /^add_header.*: a$/],
    ['lost headers towards the app', 'location / { proxy_pass http://app; }', /^proxy_set_header/],
    ['a lost page', 'server { error_page 404 /a; location / { error_page 413 /b; } }', /^error_page.*: 404$/],
    ['an allow that denies nobody', 'location / { allow 10.0.0.0/8; }', /^allow without deny/],
    ['an answer for anybody', 'server { auth_basic x; location / { return 200 secret; } }', /^return/],
    ['a Referer of none', 'location / { valid_referers none server_names; }', /^a Referer of none/],
    ['a loose Origin', 'location / { if ($http_origin ~ "a\\.test") { set $x 1; } }', /^Origin or Referer/],
    ['a version', 'http { server_tokens on; }', /^the version/],
  ]
  for (const [what, text, expected] of mistakes) {
    it(what, () => {
      const found = findMistakes(readDirectives(text, () => undefined))
      assert.equal(found.filter(line => expected.test(line)).length, 1, found.join('\n') || 'nothing')
    })
  }
})
