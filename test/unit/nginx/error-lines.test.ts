import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createErrorLines, nameWorkers } from '../../../supervisor/nginx/error-lines.ts'

const time = '2026-11-21T10:00:00.000Z'
const workerAt = (address: string) => (address === 'unix:/run/app-2.sock' ? 'app.2' : undefined)
const render = createErrorLines({ now: () => Date.parse(time), workerAt })
const records = (text: string) =>
  render(Buffer.from(`${text}\n`, 'latin1'))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
const head = (level: string) => `2026/11/21 10:00:00 [${level}] 7#7: *3 `
const tail = 'client: 1.2.3.4, server: _, request: "GET / HTTP/1.1", upstream: '

describe("nginx's error lines as JSON", () => {
  it('have the level, the pid and the message', () =>
    assert.deepEqual(records(`${head('crit')}open() failed`), [
      { time, source: 'nginx', pid: 7, stream: 'error', level: 'crit', message: 'open() failed' },
    ]))

  it('name the worker or the upstream', () => {
    const peers = ['unix:/run/app-2.sock:/a', 'unix:/other.sock:/', '10.0.0.1:80/x', '[2001:db8::1]:8080/'].map(
      peer => records(`${head('error')}failed, ${tail}"http://${peer}", host: "a"`)[0],
    )
    assert.deepEqual(
      peers.map(({ worker, upstream }) => worker ?? upstream),
      ['app.2', 'unix:/other.sock', '10.0.0.1:80', '[2001:db8::1]:8080'],
    )
  })

  it('of a start have no pid, and what is not a message is an error', () => {
    assert.deepEqual(
      records('nginx: [emerg] bind() failed\nsh: 1: exec: nginx: not found').map(({ level, message }) => [
        level,
        message,
      ]),
      [['emerg', 'bind() failed\nsh: 1: exec: nginx: not found']],
    )
    assert.equal(records('sh: 1: exec: nginx: not found')[0].level, 'error')
  })

  it('are one for each message, whatever line breaks a client put into it', () => {
    const broken = `${head('error')}broken header: "a\n${head('emerg')}forged\n\n" while reading PROXY protocol, client: 1.2.3.4, server: 0.0.0.0:80`
    const found = records(`${broken}\n${head('error')}next\n${broken}\n${broken}`)
    assert.deepEqual(
      found.map(({ level }) => level),
      ['error', 'error', 'error', 'error'],
    )
    assert.equal(found[1].message, 'next')
  })

  it('are JSON for any bytes', () => assert.equal(records(`${head('info')}\xff"\x01`)[0].message, '\\xFF"\x01'))
})

describe("nginx's error lines as text", () => {
  const named = (text: string) => nameWorkers(Buffer.from(text, 'latin1'), workerAt).toString('latin1')
  const ofWorker = `${head('error')}failed, ${tail}"http://unix:/run/app-2.sock:/\xff", host: "a"`

  it('name the worker at the end', () =>
    assert.equal(named(`${ofWorker}\n${ofWorker}\n`), `${ofWorker}, worker: "app.2"\n`.repeat(2)))

  it('stay as they are if they are about no worker, to the byte', () => {
    const others = [
      `${head('error')}failed, ${tail}"http://10.0.0.1:80/", host: "a"\n`,
      `${head('crit')}open() failed \xc3\x28\n`,
      `sh: 1: exec: nginx: not found, ${tail}"http://unix:/run/app-2.sock:/"\n`,
      `${head('error')}broken header: "a\n\n, ${tail}"http://unix:/run/app-3.sock" while reading PROXY protocol, client: 1.2.3.4, server: _\n`,
    ]
    for (const text of others) assert.equal(named(text), text)
  })
})
