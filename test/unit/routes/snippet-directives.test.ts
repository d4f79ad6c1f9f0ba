import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutReplaced } from '../../../supervisor/routes/snippet-directives.ts'

const settings = ['# headers', 'proxy_http_version 1.1;', 'proxy_set_header Host $host;', 'proxy_set_header Proxy "";']
const lines = [
  'location /a/ {',
  '    include snippets/proxy.conf;',
  '    proxy_buffering off;',
  '    proxy_read_timeout 9s;',
  '    add_header X 1;',
  '    location ~ /b {',
  '        proxy_buffering off;',
  '    }',
  '}',
]

const left = (snippet: string) => withoutReplaced(lines, snippet, settings)

test('a directive in a snippet replaces the line of its location, and nothing else', () => {
  assert.deepEqual(
    left('# proxy_http_version 1.0;\nproxy_buffering on; if ($x) { proxy_http_version 1.0; }'),
    lines.filter(line => line !== '    proxy_buffering off;'),
  )
  assert.deepEqual(left('add_header X 2;\nproxy_read_timeout 5s;\nset $a "proxy_buffering on;";'), lines)
})

test('a directive of proxy.conf is replaced too, and a header by its name', () => {
  const ofProxy = (snippet: string) => left(snippet).slice(1, -7)
  assert.deepEqual(ofProxy(`proxy_set_header\n  'HOST' "a;b";`), [
    '    proxy_http_version 1.1;',
    '    proxy_set_header Proxy "";',
  ])
  assert.deepEqual(ofProxy('proxy_http_version 1.0;'), [
    '    proxy_set_header Host $host;',
    '    proxy_set_header Proxy "";',
  ])
  assert.deepEqual(ofProxy('proxy_set_header X-Other 1;'), ['    include snippets/proxy.conf;'])
})
