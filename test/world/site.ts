import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import https from 'node:https'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Monohull, startMonohull, temporaryFolder, until } from '../process/monohull.ts'

/** Response of a site. */
interface SiteResponse {
  status: number
  headers: Headers
  text: string
}

/** A program behind Monohull, as its users reach it. */
export interface Site {
  /** Origin over HTTPS, with the port. */
  origin: string
  port: number
  /** Directory that the program runs in. */
  directory: string
  /** Everything that Monohull and the program printed. */
  output(): string
  /** A request with the cookies that came before; it follows no redirect. */
  send(path: string, options?: SendOptions): Promise<SiteResponse>
  /** The same with a body of JSON. */
  sendJson(path: string, value: unknown, method?: string): Promise<SiteResponse>
}

/** Options of a request. */
interface SendOptions {
  method?: string
  headers?: Record<string, string>
  body?: string | URLSearchParams | FormData
}

/** Site of a running Monohull. */
function siteOf(monohull: Monohull, directory: string): Site {
  const { httpsPort: port = 0 } = monohull.instance()
  const origin = `https://localhost:${port}`
  const cookies = new Map<string, string>()
  const site: Site = {
    origin,
    port,
    directory,
    output: monohull.output,
    async send(path, { method = 'GET', headers = {}, body } = {}) {
      // it encodes forms, and is not sent
      const encoded = body === undefined ? undefined : new Request('http://localhost', { method: 'POST', body })
      const type = encoded?.headers.get('content-type')
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await sendOnce(port, path, {
        method,
        headers: {
          host: `localhost:${port}`,
          ...(type ? { 'content-type': type } : {}),
          ...(cookie ? { cookie } : {}),
          ...headers,
        },
        body: encoded && Buffer.from(await encoded.arrayBuffer()),
      })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        cookies.set(name, value)
      }
      return response
    },
    sendJson: (path, value, method = 'POST') =>
      site.send(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }),
  }
  return site
}

/** An error before the request could be sent: nobody took the connection. */
class Refused extends Error {}

interface RawRequest {
  method?: string
  headers?: Record<string, string>
  body?: Buffer | undefined
  agent?: https.Agent
}

function sendOnce(port: number, path: string, { method, headers, body, agent }: RawRequest): Promise<SiteResponse> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers, rejectUnauthorized: false, timeout: 30_000 }
    let isConnected = false
    const request = https.request({ ...options, agent: agent ?? false }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const received = new Headers()
        for (let at = 0; at < response.rawHeaders.length; at += 2)
          received.append(response.rawHeaders[at] ?? '', response.rawHeaders[at + 1] ?? '')
        resolve({ status: response.statusCode ?? 0, headers: received, text: Buffer.concat(chunks).toString() })
      })
    })
    request.on('socket', socket => socket.connecting && socket.once('secureConnect', () => (isConnected = true)))
    request.on('timeout', () => request.destroy(new Error(`no response from ${path} in time`)))
    request.on('error', error => reject(isConnected || request.reusedSocket ? error : new Refused(error.message)))
    request.end(body)
  })
}

/** GETs of one path, all the time. */
interface Load {
  /** Forgets the failures so far and gives them. */
  failures(): string[]
  /** Settles when this number of further requests has ended. */
  pass(count: number): Promise<void>
  /** Settles with the failures that are left, when every connection is closed. */
  end(): Promise<string[]>
}

/** Deadline for a start, a roll, a reload or a restart. */
const patienceMs = 120_000

/** Number of connections of a load. */
const loadWidth = 4

/** Load on a site, over kept connections. */
function putLoad(t: TestContext, site: Site, path: string): Load {
  const agent = new https.Agent({ keepAlive: true, maxSockets: loadWidth })
  let failures: string[] = []
  let ended = 0
  let isOver = false
  async function loop(): Promise<void> {
    while (!isOver) {
      try {
        const { status } = await sendOnce(site.port, path, { headers: { host: `localhost:${site.port}` }, agent })
        if (status !== 200) failures.push(`${status}`)
      } catch (error) {
        failures.push(String(error))
      }
      ended++
    }
  }
  const loops = Promise.all(Array.from({ length: loadWidth }, loop))
  t.after(() => (isOver = true))
  return {
    failures() {
      const found = failures
      failures = []
      return found
    },
    async pass(count) {
      const goal = ended + count
      await until('the load to go on', () => ended >= goal)
    },
    async end() {
      isOver = true
      await loops
      agent.destroy()
      return failures
    },
  }
}

/** GETs with a connection each, until nobody takes connections any more. Settles with the failures. */
async function askUntilRefused(site: Site, path: string): Promise<string[]> {
  const failures: string[] = []
  await Promise.all(
    Array.from({ length: loadWidth }, async () => {
      for (;;) {
        try {
          const { status } = await sendOnce(site.port, path, { headers: { host: `localhost:${site.port}` } })
          if (status !== 200) failures.push(`${status}`)
        } catch (error) {
          if (error instanceof Refused) return
          failures.push(String(error))
        }
      }
    }),
  )
  return failures
}

/** A program that nobody here wrote. */
export interface Program {
  name: string
  /** Directory with the program in it. */
  directory(): string
  /** Keys of monohull.yaml, as JSON. */
  configuration: Record<string, unknown>
  env?: Record<string, string>
  /** Default: 2. */
  workers?: number
  /** Path that anyone may GET. */
  page: string
  /** What its users do. */
  use(site: Site): Promise<void>
}

/** Everything that an owner does with a program, under load: start, use, roll, reload, crash, use, stop. */
export async function liveWith(t: TestContext, program: Program): Promise<void> {
  const directory = program.directory()
  const folder = temporaryFolder(t)
  const file = join(folder, 'monohull.yaml')
  const configure = (more: Record<string, unknown>) =>
    writeFileSync(file, JSON.stringify({ ...program.configuration, ...more }, null, 2))
  configure({})
  const monohull = startMonohull(t, {
    folder,
    args: ['run', '--config', file],
    env: {
      MONOHULL_DIRECTORY: directory,
      MONOHULL_WORKERS: `${program.workers ?? 2}`,
      // npx and large programs need long on a machine with other work, and how long is not the question here
      MONOHULL_BOOT_TIMEOUT: `${patienceMs}ms`,
      ...program.env,
    },
  })
  await until('it to serve', () => /\bserving http=/.test(monohull.output()) || hasEnded(monohull), {
    deadlineMs: patienceMs,
    details: monohull.output,
  })
  const site = siteOf(monohull, directory)
  await program.use(siteOf(monohull, directory))

  const load = putLoad(t, site, program.page)
  await load.pass(20)
  assert.deepEqual(load.failures(), [], 'at rest')

  await command(monohull, 'SIGUSR2', /workers replaced|rolling restart abandoned/)
  await load.pass(20)
  assert.deepEqual(load.failures(), [], 'in a roll')

  configure({ headers: { 'x-world': 'two' } })
  await command(monohull, 'SIGHUP', /reload (finished|abandoned)/)
  await load.pass(20)
  assert.deepEqual(load.failures(), [], 'in a reload')
  assert.equal((await site.send(program.page)).headers.get('x-world'), 'two')

  const killed = monohull.worker(1)
  const from = monohull.output().length
  process.kill(killed, 'SIGKILL')
  const restarted = new RegExp(`worker died .*pid=${killed}\\b[\\s\\S]*worker ready`)
  await until(String(restarted), () => restarted.test(monohull.output().slice(from)), {
    deadlineMs: patienceMs,
    details: () => monohull.output().slice(-4000),
  })
  await load.pass(20)
  const lost = load.failures()
  assert.ok(lost.length <= loadWidth, `in a crash: ${lost.join(', ')}`)
  assert.deepEqual(await load.end(), [])

  await program.use(siteOf(monohull, directory))
  const asked = askUntilRefused(site, program.page)
  monohull.signal('SIGTERM')
  assert.equal(await monohull.exited, 0)
  assert.deepEqual(await asked, [], 'in a stop')
}

async function command(monohull: Monohull, signal: NodeJS.Signals, ending: RegExp): Promise<void> {
  const from = monohull.output().length
  monohull.signal(signal)
  await until(String(ending), () => ending.test(monohull.output().slice(from)), {
    deadlineMs: patienceMs,
    details: () => monohull.output().slice(from),
  })
  const abandoned = monohull
    .output()
    .slice(from)
    .split('\n')
    .filter(line => line.includes('abandoned'))
  assert.deepEqual(abandoned, [])
}

function hasEnded({ process, output }: Monohull): false {
  if (process.exitCode !== null) throw new Error(`it ended with ${process.exitCode}\n${output()}`)
  return false
}
