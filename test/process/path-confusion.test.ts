// needs: python3 ruby
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import net from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import url from 'node:url'
import { startMonohull } from './monohull.ts'

const fixtures = join(import.meta.dirname, '../fixtures/paths')
const count = 100_000
const batchSize = 12
const lanes = 24

/** Request, by its host and path. */
interface Sent {
  host: string
  path: string
}

interface Rule {
  path: string
  match: 'prefix' | 'exact' | 'regex'
  isOpen: boolean
}

const rule = (path: string, isOpen: boolean, match: Rule['match'] = 'prefix'): Rule => ({ path, match, isOpen })

/** Routes by host, in every arrangement of open and closed ones. */
const hosts: Record<string, Rule[]> = {
  'closed.test': [rule('/', true), rule('/admin', false), rule('/a/b', false)],
  'open.test': [rule('/', false), rule('/open', true), rule('/a/b', true)],
  'nested.test': [rule('/', true), rule('/admin', false), rule('/admin/open', true), rule('/admin/open/x', false)],
  'exact.test': [rule('/', true), rule('/admin', false, 'exact'), rule('/a/b', false, 'exact')],
  'regex.test': [rule('/', true), rule('^/admin(/|$)', false, 'regex'), rule('\\.php$', false, 'regex')],
}

const words = ['admin', 'open', 'a', 'b', 'x', 'x.php', 'Admin', 'admin.', '...']
const oddWords = [
  ...[
    '%61dmin',
    'adm%69n',
    'o%70en',
    '%61',
    '%62',
    'x%2ephp',
    '',
    '.',
    '..',
    '%2e',
    '.%2e',
    '%20',
    '%09',
    '\xa0',
    '%a0',
  ],
  ...['\xe9', '%C3%A9', '%252f', '%25', '~', '@', 'x:80', 'http:', '[', '*', "'", '"', '|', '^', '%c0%af', '%00'],
]
const oddSeparators = [
  '//',
  '\\',
  '%2f',
  '%2F',
  '%5c',
  '%5C',
  ';',
  '%3b',
  '#',
  '%23',
  '%3f',
  '/;',
  '/\\',
  ';x=y/',
  '&',
  '?',
]
const tails = ['/', '?', '?x=/../admin', ';', ';x=y', '#', '%23x', '//', '/.', '\xa0', '.', '%20', '?\xa0']
const starts = ['/', '//', '/\\', 'http://x', '/.', '/%2f', '/;']

/** Deterministic choice, so that a failure can be repeated. */
function createChoice(seed: number): <T>(of: readonly T[]) => T {
  let state = seed
  return of => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return of[Math.floor((state / 2 ** 32) * of.length)] as (typeof of)[number]
  }
}

function makePaths(): Sent[] {
  const choose = createChoice(20261129)
  const names = Object.keys(hosts)
  const sixteen = Array.from({ length: 16 }, (_, index) => index + 1)
  /** Usual parts, and now and then an odd one. */
  const mix = (usual: readonly string[], strange: readonly string[]) =>
    choose(sixteen) > 1 ? choose(usual) : choose(strange)
  return Array.from({ length: count }, () => {
    const parts = Array.from(
      { length: choose([1, 2, 2, 3, 3, 4]) },
      () => mix(['/'], oddSeparators) + mix(words, oddWords),
    )
    return {
      host: choose(names),
      path: `${choose(sixteen) > 2 ? '' : choose(starts)}${parts.join('')}${mix([''], tails)}`,
    }
  })
}

/** Statuses of requests that are sent one after the other over one connection, which the last one closes. */
function sendAll(port: number, requests: readonly Sent[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    let seen = ''
    socket.setEncoding('latin1')
    socket.on('data', chunk => {
      seen += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve([...seen.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status ?? '')))
    socket.setTimeout(20_000, () => socket.destroy(new Error('no response in time')))
    const last = requests.length - 1
    const text = requests.map(
      ({ host, path }, index) =>
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${index === last ? 'Connection: close\r\n' : ''}\r\n`,
    )
    socket.write(text.join(''), 'latin1')
  })
}

/** Statuses of all requests. nginx closes the connection after a 400, and the requests behind it are sent again. */
async function statusesOf(port: number, requests: readonly Sent[]): Promise<string[]> {
  const statuses: string[] = []
  const batches = Array.from({ length: Math.ceil(requests.length / batchSize) }, (_, index) => index * batchSize)
  async function sendBatches(): Promise<void> {
    for (let start = batches.pop(); start !== undefined; start = batches.pop()) {
      const end = Math.min(start + batchSize, requests.length)
      for (let next = start; next < end; ) {
        const found = await sendAll(port, requests.slice(next, end))
        assert.ok(found.length > 0, `no response to ${JSON.stringify(requests[next])}`)
        for (const status of found) statuses[next++] = status
      }
    }
  }
  await Promise.all(Array.from({ length: lanes }, sendBatches))
  return statuses
}

/** Reads paths with a program that prints a JSON array per line. */
function readWith(program: string, file: string, paths: readonly string[]): Promise<string[][]> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 2 ** 28, timeout: 60_000 }
    const child = execFile(program, [join(fixtures, file)], options, (error, stdout) => {
      if (error) reject(error)
      else
        resolve(
          stdout
            .trimEnd()
            .split('\n')
            .map(line => JSON.parse(line)),
        )
    })
    child.stdin?.end(Buffer.from(paths.map(path => `${path}\n`).join(''), 'latin1'))
  })
}

function decode(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** Readings of Node, and of the servlet rules: parameters are removed from every segment, then the path is decoded. */
function readHere(path: string): string[] {
  const raw = path.split('?')[0] ?? ''
  const servlet = raw.replace(/;[^/]*/g, '')
  const parsed = url.parse(path).pathname ?? ''
  const found = [
    raw,
    decode(raw),
    raw.replace(/;.*/, ''),
    servlet,
    decode(servlet).replace(/;[^/]*/g, ''),
    parsed,
    decode(parsed),
  ]
  try {
    const { pathname } = new URL(path, 'http://localhost')
    found.push(pathname, decode(pathname))
  } catch {
    // not a URL
  }
  return found
}

/** Whether a path, as an app has read it, is one of an open route. */
function isOpen(rules: readonly Rule[], path: string): boolean {
  const under = (one: Rule) => path === one.path || one.path === '/' || path.startsWith(`${one.path}/`)
  const found =
    rules.find(one => one.match === 'exact' && path === one.path) ??
    rules.find(one => one.match === 'regex' && new RegExp(one.path).test(path)) ??
    rules.filter(one => one.match === 'prefix' && under(one)).sort((a, b) => b.path.length - a.path.length)[0]
  return found?.isOpen ?? true
}

function toYaml([host, rules]: [string, Rule[]]): string[] {
  return rules.map(
    ({ path, match, isOpen }) =>
      `  - { host: ${host}, path: '${path}', match: ${match}, response: { body: in }${isOpen ? '' : ', deny: [127.0.0.0/8]'} }`,
  )
}

describe('paths that nginx and apps may read differently', () => {
  it('are let in by a route only if Node, Python, Ruby and servlets read a path of that route', async t => {
    const monohull = startMonohull(t, {
      files: {
        'monohull.yaml': `https: off\naccess_log: false\nroutes:\n${Object.entries(hosts).flatMap(toYaml).join('\n')}\n`,
      },
    })
    const { httpPort } = await monohull.serving()
    const requests = makePaths()
    const statuses = await statusesOf(httpPort ?? 0, requests)
    const admitted = requests.filter((_, index) => statuses[index] === '200')
    const paths = admitted.map(({ path }) => path.replace(/^http:\/\/[^/?#]*/, '') || '/')
    const [python, ruby] = await Promise.all([
      readWith('python3', 'readings.py', paths),
      readWith('ruby', 'readings.rb', paths),
    ])
    const bypasses = admitted.flatMap(({ host }, index) => {
      const path = paths[index] ?? ''
      const readings = [...readHere(path), ...(python[index] ?? []), ...(ruby[index] ?? [])]
      const closed = readings
        .flatMap(reading => [reading, reading.replace(/\/{2,}/g, '/')])
        .filter(reading => !isOpen(hosts[host] ?? [], reading))
      return closed.length > 0
        ? [`${host} ${JSON.stringify(path)} is read as ${[...new Set(closed)].join(' or ')}`]
        : []
    })
    assert.deepEqual(bypasses.slice(0, 20), [])
    // not because hardly anything is let in
    const tally = (status: string) => statuses.filter(one => one === status).length
    assert.ok(tally('200') > count / 10, `${tally('200')} let in, ${tally('403')} denied, ${tally('400')} rejected`)
    assert.ok(tally('403') > count / 50)
  })
})
