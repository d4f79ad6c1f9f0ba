import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fixture, startMonohull } from './monohull.ts'
import { bodyOf, sendRaw } from './raw.ts'

const get = (path: string, lines: string[] = []) =>
  `${[`GET ${path} HTTP/1.1`, 'Host: a', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+) /.exec(answer)?.[1])

describe('paths that lead elsewhere', () => {
  /** Path, and what it comes to in a folder of files. */
  const table: [string, number][] = [
    ['/index.html', 200],
    ['/%69ndex.html', 200],
    ['//index.html', 200],
    ['/sub/../index.html', 200],
    ['/sub/%2e%2e/index.html', 200],
    ['/sub/..%2findex.html', 200],
    ['/../secret.txt', 400],
    ['/%2e%2e/secret.txt', 400],
    ['/..%2fsecret.txt', 400],
    ['/sub/../../secret.txt', 400],
    ['/%252e%252e/secret.txt', 404],
    ['/..;/secret.txt', 404],
    ['/..\\secret.txt', 404],
    ['/%00index.html', 400],
    ['/index.html%00.png', 400],
    ['/%zz', 400],
    ['index.html', 400],
    ['/.env', 404],
    ['/%2eenv', 404],
    ['/sub/.git/config', 404],
    ['/sub/.%67it/config', 404],
    ['/sub//.git/config', 404],
    ['/.monohull/pages/413.html', 404],
    ['/.monohull/unavailable.html', 404],
  ]

  it('do not leave the folder of files, nor reach its hidden files', async t => {
    const monohull = startMonohull(t, {
      args: ['run', './site'],
      env: { MONOHULL_HTTPS: 'off' },
      files: {
        'site/index.html': 'front page',
        'site/.env': 'secret',
        'site/sub/.git/config': 'secret',
        'secret.txt': 'secret',
      },
    })
    const { httpPort } = await monohull.serving()
    for (const [path, status] of table) {
      const answer = await sendRaw(httpPort, get(path))
      assert.equal(statusOf(answer), status, path)
      if (status === 200) assert.equal(bodyOf(answer), 'front page', path)
      assert.doesNotMatch(answer, /secret/, path)
    }
  })

  it('reach the app as they were written, or not at all', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      env: { MONOHULL_HTTPS: 'off' },
    })
    const { httpPort } = await monohull.serving()
    for (const path of [
      '/a/../b',
      '/a%2fb',
      '/a//b',
      '/%2e%2e%2f',
      '/../a',
      '/%00',
      '/a?b=%00',
      '/a;b=../c',
      '/%C0%AE',
    ]) {
      const answer = await sendRaw(httpPort, get(path))
      if (statusOf(answer) === 400) assert.match(path, /^\/(\.\.|%2e%2e|%00)/, path)
      else assert.match(answer, new RegExp(`"url":${JSON.stringify(path).replace(/[.?*+^$()|[\]\\]/g, '\\$&')}`))
    }
  })
})

describe('clients that ask for too much', () => {
  it('are told so: a long line, a long header, many of them', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      env: { MONOHULL_HTTPS: 'off' },
    })
    const { httpPort } = await monohull.serving()
    const long = 'x'.repeat(17 * 1024)
    const headers = (count: number, length: number) =>
      Array.from({ length: count }, (_, index) => `X-${index}: ${'x'.repeat(length)}`)
    assert.equal(statusOf(await sendRaw(httpPort, get(`/${long}`))), 414)
    assert.equal(statusOf(await sendRaw(httpPort, get('/', [`X-Long: ${long}`]))), 400)
    assert.equal(statusOf(await sendRaw(httpPort, get('/', headers(8, 12 * 1024)))), 400)
    assert.equal(statusOf(await sendRaw(httpPort, get('/', headers(3, 4 * 1024)))), 200)
    assert.equal(statusOf(await sendRaw(httpPort, get('/', headers(1, 12 * 1024)))), 200)
  })
})
