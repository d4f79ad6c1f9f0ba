import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import tls from 'node:tls'
import { ask } from './ask.ts'
import { type Container, ownerOfSuite, repository, startContainer, tryDocker, until } from './docker.ts'

// Docker's default network has no IPv6; the loopback device of a container can have it all the same
const withIpv6 = ['--sysctl', 'net.ipv6.conf.all.disable_ipv6=0', '--sysctl', 'net.ipv6.conf.lo.disable_ipv6=0']

describe('the image, run as it is', () => {
  const owner = ownerOfSuite()
  let container: Container
  let http = ''
  let https = ''
  before(async () => {
    container = await startContainer(owner, { args: ['--health-interval', '1s', ...withIpv6] })
    http = await container.http()
    https = await container.https()
  })

  it('serves the example app over HTTPS', async () => {
    const { status, headers, body } = await ask(`${https}/`)
    assert.equal(status, 200)
    assert.match(headers['content-type'] ?? '', /text\/html/)
    assert.match(body, /monohull/i)
  })

  it('compresses it by Brotli', async () => {
    const { headers } = await ask(`${https}/`, { headers: { 'accept-encoding': 'gzip, br' } })
    assert.equal(headers['content-encoding'], 'br')
    assert.match(headers.vary ?? '', /accept-encoding/i)
  })

  it('sends HTTP to HTTPS with 308: host, path and query kept, the port that of HTTPS', async () => {
    const answer = await ask(`${http}/a/b?c=d&e=%20f`, { headers: { host: 'www.example.com:8080' } })
    assert.equal(answer.status, 308)
    assert.equal(answer.headers.location, 'https://www.example.com/a/b?c=d&e=%20f')
  })

  it('keeps method and body: a POST to HTTP gets 308 too', async () => {
    const answer = await ask(`${http}/form`, { method: 'POST', body: 'a=1', headers: { host: 'example.com' } })
    assert.equal(answer.status, 308)
    assert.equal(answer.headers.location, 'https://example.com/form')
  })

  it('presents a certificate of the local CA for localhost', async () => {
    const { certificate } = await ask(`${https}/`)
    assert.match(certificate?.subjectaltname ?? '', /DNS:localhost/)
  })

  it('agrees on a key by X25519MLKEM768 with clients that know it', async () => {
    const { hostname, port } = new URL(https)
    const agreed = await new Promise((resolve, reject) => {
      const options = { host: hostname, port: Number(port), ecdhCurve: 'X25519MLKEM768', rejectUnauthorized: false }
      const socket = tls.connect(options, () => {
        resolve(socket.getProtocol())
        socket.destroy()
      })
      socket.once('error', reject)
    })
    assert.equal(agreed, 'TLSv1.3')
  })

  for (const path of ['/healthz', '/readyz']) {
    it(`answers ${path} with JSON, over HTTP without redirect and over HTTPS`, async () => {
      for (const origin of [http, https]) {
        const { status, headers, body } = await ask(`${origin}${path}`)
        assert.equal(status, 200, origin)
        assert.match(headers['content-type'] ?? '', /application\/json/)
        assert.equal(typeof JSON.parse(body).status, 'string')
      }
    })
  }

  it('listens on IPv6 as well', async () => {
    const script =
      "require('http').get({ host: '::1', path: '/healthz' }, r => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', e => { console.error(e); process.exit(2) })"
    const { code, stderr } = await container.exec('node', '-e', script)
    assert.equal(code, 0, stderr)
  })

  it('becomes healthy for Docker', async () => {
    await until(
      'docker reports healthy',
      async () => (await container.inspect('{{.State.Health.Status}}')) === 'healthy',
    )
  })

  it('has start.sh as PID 1, and the supervisor as its only child', async () => {
    assert.equal((await container.exec('cat', '/proc/1/comm')).stdout.trim(), 'start.sh')
    const processes = await container.processes()
    const init = processes.find(({ command }) => command.includes('start.sh monohull'))
    const children = processes.filter(({ parent }) => parent === init?.pid)
    assert.equal(children.length, 1)
    assert.match(children[0]?.command ?? '', /launcher\.cjs run$/)
  })

  it('writes an access record to stdout', async () => {
    await ask(`${https}/?mark=recorded`)
    await until('the access record', async () =>
      (await tryDocker(['logs', container.id])).stdout.includes('GET /?mark=recorded'),
    )
  })
})

describe('the health check of the image', () => {
  for (const [where, args, command] of [
    ['in the file', ['--volume', `${repository}test/fixtures/image/health/monohull.yaml:/app/monohull.yaml:ro`], []],
    ['by a flag', [], ['monohull', 'run', '--run-dir', '/tmp/elsewhere', '--health-live-path', '/alive']],
  ] as const)
    it(`finds run_dir and the health path that are set ${where}`, async t => {
      const container = await startContainer(t, { args: ['--health-interval', '1s', ...args], command: [...command] })
      assert.equal((await ask(`${await container.http()}/alive`)).status, 200)
      await until(
        'Docker to report it healthy',
        async () => (await container.inspect('{{.State.Health.Status}}')) === 'healthy',
      )
    })
})
