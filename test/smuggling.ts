import assert from 'node:assert/strict'
import { sendRaw } from './process/raw.ts'

interface Seen {
  method: string
  url: string
  host: string
  body: string
  headers: Record<string, string>
}

interface Case {
  name: string
  /** Its path is /in; what it tries to get past nginx as a request of its own has the path /smuggled. */
  bytes: string
  status: number
  /** Of the one request that the worker sees; none: it sees nothing. */
  seen?: Partial<Seen>
}

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
/** A request for /in with these lines in its head; the connection ends with it. */
const request = (lines: string[], body = '', method = 'POST') =>
  `${[`${method} /in HTTP/1.1`, 'Host: a', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n${body}`

/** A request with so many header lines. */
const requestOf = (count: number) =>
  request(
    Array.from({ length: count - 2 }, (_, index) => `X-${index}: 1`),
    '',
    'GET',
  )

const cases: Case[] = [
  {
    name: 'Content-Length and Transfer-Encoding',
    bytes: request(['Content-Length: 6', 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`),
    status: 400,
  },
  {
    name: 'Transfer-Encoding and Content-Length',
    bytes: request(['Transfer-Encoding: chunked', 'Content-Length: 4'], `5c\r\n${smuggled}0\r\n\r\n`),
    status: 400,
  },
  {
    name: 'two different Content-Lengths',
    bytes: request(['Content-Length: 0', `Content-Length: ${smuggled.length}`], smuggled),
    status: 400,
  },
  {
    name: 'the same Content-Length twice',
    bytes: request(['Content-Length: 5', 'Content-Length: 5'], 'hello'),
    status: 400,
  },
  { name: 'a list of Content-Lengths', bytes: request(['Content-Length: 5, 5'], 'hello'), status: 400 },
  { name: 'Content-Length with a sign', bytes: request(['Content-Length: +5'], 'hello'), status: 400 },
  { name: 'a negative Content-Length', bytes: request(['Content-Length: -5'], 'hello'), status: 400 },
  { name: 'a hexadecimal Content-Length', bytes: request(['Content-Length: 0x5'], 'hello'), status: 400 },
  {
    name: 'a space before the colon',
    bytes: request(['Transfer-Encoding : chunked'], `0\r\n\r\n${smuggled}`),
    status: 400,
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    bytes: `POST /in HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    status: 400,
  },
  { name: 'an unknown coding', bytes: request(['Transfer-Encoding: xchunked'], `0\r\n\r\n${smuggled}`), status: 501 },
  {
    name: 'a list of codings',
    bytes: request(['Transfer-Encoding: identity, chunked'], `0\r\n\r\n${smuggled}`),
    status: 501,
  },
  {
    name: 'two codings',
    bytes: request(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`),
    status: 400,
  },
  {
    name: 'a chunk size beyond all bounds',
    bytes: request(['Transfer-Encoding: chunked'], `fffffffffffffffff\r\n${smuggled}`),
    status: 400,
  },
  {
    name: 'a chunk that is longer than it says',
    bytes: request(['Transfer-Encoding: chunked'], `5\r\nhello, too long\r\n0\r\n\r\n${smuggled}`),
    status: 400,
  },
  {
    name: 'a hexadecimal prefix in a chunk size',
    bytes: request(['Transfer-Encoding: chunked'], `0x5\r\nhello\r\n0\r\n\r\n${smuggled}`),
    status: 400,
  },
  { name: 'two Hosts', bytes: request(['Host: b'], '', 'GET'), status: 400 },
  { name: 'no Host', bytes: 'GET /in HTTP/1.1\r\n\r\n', status: 400 },
  { name: 'a Host with a slash', bytes: 'GET /in HTTP/1.1\r\nHost: a/b\r\n\r\n', status: 400 },
  { name: 'a folded header', bytes: request(['X-Long: a', ' Transfer-Encoding: chunked'], '', 'GET'), status: 400 },
  { name: 'NUL in a header', bytes: request(['X-Nul: a\0b'], '', 'GET'), status: 400 },
  { name: 'CR in a header', bytes: request(['X-Cr: a\rTransfer-Encoding: chunked'], '', 'GET'), status: 400 },
  { name: 'more header lines than a hundred', bytes: requestOf(101), status: 400 },
  {
    name: 'as many header lines as Gunicorn takes with those that nginx adds',
    bytes: requestOf(90),
    status: 200,
    seen: { host: 'a' },
  },
  { name: 'a method in lower case', bytes: request([], '', 'get'), status: 400 },
  { name: 'a version from the future', bytes: 'GET /in HTTP/3.0\r\nHost: a\r\n\r\n', status: 505 },
  {
    name: 'an absolute URI, which outweighs Host',
    bytes: 'GET http://b/in HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    status: 200,
    seen: { host: 'b' },
  },
  {
    name: 'lines that end without CR',
    bytes: 'GET /in HTTP/1.1\nHost: a\nConnection: close\nX-Last: 1\n\n',
    status: 200,
    seen: { host: 'a' },
  },
  {
    name: 'chunks that end without CR',
    bytes: request(['Transfer-Encoding: chunked'], '5\nhello\n0\n\n'),
    status: 200,
    seen: { body: 'hello' },
  },
  {
    name: 'chunks with extensions and trailers',
    bytes: request(['Transfer-Encoding: chunked'], '5;a="b"\r\nhello\r\n0\r\nHost: b\r\n\r\n'),
    status: 200,
    seen: { body: 'hello', host: 'a' },
  },
  {
    name: 'a request in the body of another',
    bytes: request([`Content-Length: ${smuggled.length}`], smuggled),
    status: 200,
    seen: { body: smuggled },
  },
  {
    name: 'headers with underscores, which are dropped',
    bytes: request(['X_Forwarded_For: 6.6.6.6', 'Content_Length: 5'], '', 'GET'),
    status: 200,
    seen: { body: '' },
  },
  {
    name: 'an upgrade to HTTP/2 in the clear, which would tunnel past nginx',
    bytes: [
      'GET /in HTTP/1.1',
      'Host: a',
      'Connection: Upgrade, HTTP2-Settings, close',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
      '\r\n',
    ].join('\r\n'),
    status: 200,
    seen: { host: 'a' },
  },
]

/**
 * Sends every request of the table to a port of nginx, with one worker behind it that remembers what it gets (test/fixtures/apps/seen.*).
 * `forget` gives what is in its answer to /seen.
 */
export async function replaySmuggling(port: number | undefined, forget: () => Promise<string>): Promise<void> {
  for (const { name, bytes, status, seen: expected } of cases) {
    const answer = await sendRaw(port, bytes)
    assert.match(answer, new RegExp(`^HTTP/1\\.[01] ${status} `), name)
    const seen = requestsIn(await forget())
    assert.deepEqual(
      seen.map(({ method, url }) => `${method} ${url}`),
      expected ? [`${bytes.split(' ')[0]} /in`] : [],
      name,
    )
    for (const [key, value] of Object.entries(expected ?? {})) assert.equal(seen[0]?.[key as keyof Seen], value, name)
    const headers = seen[0]?.headers ?? {}
    assert.ok(!Object.values(headers).includes('6.6.6.6'), name)
    assert.ok(!Object.keys(headers).some(header => header.includes('_')), name)
    assert.equal(headers.upgrade, undefined, name)
  }
}

/** Two requests on one connection are two, in their order. */
export async function replayPipelined(port: number | undefined, forget: () => Promise<string>): Promise<void> {
  const second = 'GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  await sendRaw(port, `POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${second}`)
  assert.deepEqual(
    requestsIn(await forget()).map(({ url, body }) => `${url} ${body}`),
    ['/first hello', '/second '],
  )
}

function requestsIn(answer: string): Seen[] {
  // monohull itself asks a worker of another language whether it answers
  return (JSON.parse(answer) as Seen[]).filter(({ url }) => url !== '*')
}
