import assert from 'node:assert/strict'
import http2 from 'node:http2'
import { describe, it, type TestContext } from 'node:test'
import tls from 'node:tls'
import { readNginxFeatures } from '../../supervisor/nginx/adapters/files.ts'
import { defer, fixture, type Monohull, startMonohull } from './monohull.ts'
import { sendRaw } from './raw.ts'

const answers = ['run', 'node', fixture('answers.cjs')]
const { hasHttp3, version } = await readNginxFeatures()

async function start(t: TestContext, yaml: string): Promise<Monohull> {
  const monohull = startMonohull(t, { args: answers, files: { 'monohull.yaml': `https: on\n${yaml}\n` } })
  await monohull.serving()
  return monohull
}

function openSession(t: TestContext, monohull: Monohull): http2.ClientHttp2Session {
  const { httpsPort } = monohull.instance()
  const session = http2.connect(`https://127.0.0.1:${httpsPort}`, { rejectUnauthorized: false })
  defer(t, () => session.destroy())
  return session
}

interface StreamAnswer {
  status: number | undefined
  headers: http2.IncomingHttpHeaders
  body: string
}

function askStream(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  sent = '',
): Promise<StreamAnswer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/', ...headers })
    let answered: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {}
    let body = ''
    stream.setEncoding('utf8')
    stream.setTimeout(20_000, () => stream.destroy(new Error('no answer in time')))
    stream.on('response', got => {
      answered = got
    })
    stream.on('data', (text: string) => {
      body += text
    })
    stream.on('error', reject)
    stream.on('end', () => resolve({ status: answered[':status'], headers: answered, body }))
    // one without a body has ended
    if (sent !== '') stream.end(sent)
  })
}

/** What client and server agree on. */
function agreed(port: number | undefined, offered: string[]): Promise<string | false | null> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect(
      { host: '127.0.0.1', port: port ?? 0, ALPNProtocols: offered, rejectUnauthorized: false },
      () => {
        resolve(socket.alpnProtocol)
        socket.destroy()
      },
    )
    socket.on('error', reject)
  })
}

describe('protocols', () => {
  it('are HTTP/2 for who offers it, else HTTP/1.1, and HTTP/1.0', async t => {
    const monohull = await start(t, '')
    const { httpPort, httpsPort } = monohull.instance()
    assert.equal(await agreed(httpsPort, ['h2', 'http/1.1']), 'h2')
    assert.equal(await agreed(httpsPort, ['http/1.1']), 'http/1.1')
    const { status, headers } = await askStream(openSession(t, monohull), {})
    assert.equal(status, 200)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['alt-svc'], undefined)
    assert.match(await sendRaw(httpPort, 'GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n/)
  })

  it('have the same limits: a stream of HTTP/2 is a request like any other', async t => {
    const monohull = await start(t, 'max_body_size: 1k\nconnection_limit: 2')
    const session = openSession(t, monohull)
    const large = await askStream(session, { ':method': 'POST', accept: 'application/json' }, 'x'.repeat(1025))
    assert.deepEqual([large.status, JSON.parse(large.body).key], [413, 'max_body_size'])
    const together = await Promise.all([1, 2, 3].map(() => askStream(session, { ':path': '/?ms=3000' })))
    assert.deepEqual(together.map(({ status }) => status).sort(), [200, 200, 429])
    assert.equal(together.find(({ status }) => status === 429)?.headers['retry-after'], '1')
  })

  it('include HTTP/3 where nginx has it, and are refused with it elsewhere', async t => {
    for (const command of ['check', ...(hasHttp3 ? [] : ['run'])]) {
      const args = [command, ...answers.slice(1)]
      const monohull = startMonohull(t, { args, env: { MONOHULL_HTTP3: 'true' } })
      const code = await monohull.exited
      const isRefused = monohull
        .output()
        .includes(`cannot serve HTTP/3: the installed nginx ${version} is built without it`)
      assert.deepEqual([code, isRefused], hasHttp3 ? [0, false] : [78, true])
      if (isRefused) assert.match(monohull.output(), /use the image.*or remove http3/)
    }
  })
})
