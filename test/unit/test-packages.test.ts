import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { importsOf, readSources, withoutComments } from './read-imports.ts'

const home = join(import.meta.dirname, '../..')
const all = readSources(join(home, 'test'))
const sources = new Map([...all].filter(([path]) => !path.startsWith('fixtures/')))
/** What is imported for its types alone runs nothing. */
const imports = importsOf(new Map([...sources].map(([path, text]) => [path, text.replace(/^import type .*$/gm, '')])))
const testFiles = [...sources.keys()].filter(path => path.endsWith('.test.ts'))

/** By package, what a test has in it that needs the package. */
const signs: Record<string, RegExp> = {
  'bash-completion': /bash_completion'/,
  chromium: /'chromium'/,
  'docker-compose': /'docker-compose'/,
  fish: /\bfish: \{/,
  gcc: /'gcc /,
  'golang-go': /'go build /,
  gunicorn: /['[]gunicorn[ '",]|exec gunicorn|`gunicorn,|^RUN .*gunicorn/m,
  iproute2: /execFileSync\('ip'/,
  iptables: /'iptables'/,
  'libc6-dev': /'gcc /,
  'libdancer2-perl': /'dancer2'/,
  'libnginx-mod-http-brotli-filter': /brotliDecompress/i,
  'libnginx-mod-http-brotli-static': /\.js\.br': 'brotli'/,
  'libnginx-mod-http-lua': /readNginxFeatures\(\)/,
  'libnss3-tools': /'certutil'/,
  'lua5.1': /\('lua5\.1'/,
  nginx: /readNginxFeatures\(\)/,
  openssl: /\(\s*'openssl'|pagesForUsers\(\)[\s\S]*execFileSync\('sh'/,
  pebble: /'pebble'/,
  'php-cli': /php-framework|artisan/,
  'php-fpm': /fixtures\/php'|php-framework|artisan/,
  prometheus: /'prometheus', \[/,
  puma: /^RUN .*puma|'puma /m,
  python3: /['[]python3['",]|^RUN .*python3 |\/usr\/bin\/python3 manage/m,
  'python3-django': /'django'|from django\.conf import/,
  'python3-fastapi': /from fastapi import/,
  'python3-flask': /flask_app|python3-flask|from flask import/,
  'python3-flaskext.wtf': /from flask_wtf import/,
  'python3-websockets': /@app\.websocket/,
  'redis-server': /'redis-server'|\[redis-server,/,
  rsyslog: /rsyslogd'/,
  'rsyslog-openssl': /DefaultNetstreamDriver="ossl"/,
  ruby: /\('ruby'/,
  sqlite3: /'sqlite3'/,
  'ruby-sinatra': /require 'sinatra/,
  slowhttptest: /'slowhttptest'/,
  starman: /'starman |'exec starman /,
  'testssl.sh': /\('testssl'/,
  'valkey-server': /'valkey-server'/,
  uwsgi: /`uwsgi --/,
  'uwsgi-plugin-python3': /uwsgi --plugin python3/,
  uvicorn: /^RUN .*uvicorn|'uvicorn /m,
  webhook: /'webhook /,
  zsh: /\bzsh: \{/,
}

/** What every test of a directory has; test/run.sh knows it. */
const ofDirectory: Record<string, string[]> = { process: ['libnginx-mod-http-lua', 'nginx', 'openssl'] }
/** What these name runs in containers or nowhere. */
const runsElsewhere: Record<string, RegExp> = {
  image: /^(gunicorn|python3|python3-flask|testssl\.sh|uvicorn|libnginx.*)$/,
  unit: /^(?!(openssl|lua5\.1)$)/,
}

/** A test file with all that it imports, and the Dockerfiles of the examples that it runs. */
function codeOf(path: string, seen = new Set<string>()): string {
  seen.add(path)
  const next = imports.filter(({ from, to }) => from === path && sources.has(to) && !seen.has(to))
  const examples = path === 'process/examples.test.ts' ? dockerfiles() : ''
  return [withoutComments(sources.get(path) ?? ''), examples, ...next.map(({ to }) => codeOf(to, seen))].join('\n')
}

function dockerfiles(): string {
  const folders = readdirSync(join(home, 'examples'), { withFileTypes: true }).filter(entry => entry.isDirectory())
  const texts = folders.map(({ name }) => readFileSync(join(home, 'examples', name, 'Dockerfile'), 'utf8'))
  return texts.join('\n').replaceAll('\\\n', ' ')
}

function neededBy(path: string): string[] {
  const [directory = ''] = path.split('/')
  const code = codeOf(path)
  return Object.keys(signs).filter(
    name => signs[name]?.test(code) && !ofDirectory[directory]?.includes(name) && !runsElsewhere[directory]?.test(name),
  )
}

const namedBy = (path: string) => /^\/\/ needs: (.+)$/m.exec(sources.get(path) ?? '')?.[1]?.split(' ') ?? []

describe('the packages that test files need', () => {
  for (const directory of new Set(testFiles.map(path => path.split('/')[0])))
    it(`are named in the first line of each file of ${directory}, and no others`, () => {
      const files = testFiles.filter(path => path.startsWith(`${directory}/`))
      const pairs = (read: (path: string) => string[]) => Object.fromEntries(files.map(path => [path, read(path)]))
      assert.deepEqual(pairs(namedBy), pairs(neededBy))
    })

  it('are each needed somewhere', () => {
    const needed = new Set(testFiles.flatMap(neededBy))
    assert.deepEqual(
      Object.keys(signs).filter(name => !needed.has(name)),
      [],
    )
  })
})

describe('the build that tests run', () => {
  it('is only reached through built.ts, which builds first', () => {
    const direct = [...sources].filter(
      ([path, text]) => path.startsWith('process/') && /\.\.\/dist|home, 'dist/.test(text),
    )
    assert.deepEqual(
      direct.map(([path]) => path),
      ['process/built.ts'],
    )
  })

  it('is of the same sources for start.sh and for test/build.sh', () => {
    const listed = (path: string) =>
      / (supervisor app .*?)(?:;| -newer)/.exec(readFileSync(join(home, path), 'utf8'))?.[1]
    assert.ok(listed('start.sh'))
    assert.equal(listed('start.sh'), listed('test/build.sh'))
  })
})
