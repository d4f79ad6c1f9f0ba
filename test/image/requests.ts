import https from 'node:https'
import { setTimeout } from 'node:timers/promises'
import type { Owner } from './docker.ts'

/** A load of GETs and of POSTs of 16 KB, each on kept and on new connections. */
export interface Load {
  /** Number of responses so far, by their body. */
  seen: ReadonlyMap<string, number>
  failures: readonly string[]
  /** Number of requests that are open at a time, at most. */
  clients: number
  end(): Promise<void>
}

const body = 'x'.repeat(16_384)
const clientsOfKind = 3

/** What a client waits before its next request, ms: the load shares the machine with what it tests. */
const pauseMs = 10

/** Starts a load on an HTTPS origin, which lasts until `end` is called or its owner ends. Nothing is sent again, and everything but 200 is a failure. `host`: of the requests. */
export function startLoad(owner: Owner, origin: string, host?: string): Load {
  const seen = new Map<string, number>()
  const failures: string[] = []
  let isOver = false
  const kinds = ['GET', 'POST'].flatMap(method => [true, false].map(isKept => ({ method, isKept })))
  const clients = kinds.flatMap(kind => Array.from({ length: clientsOfKind }, () => ask(kind)))

  async function ask({ method, isKept }: { method: string; isKept: boolean }): Promise<void> {
    const agent = isKept ? new https.Agent({ keepAlive: true, maxSockets: 1 }) : undefined
    while (!isOver) {
      await request(origin, { method, host }, agent).then(
        text => seen.set(text, (seen.get(text) ?? 0) + 1),
        (error: Error) =>
          failures.push(`${new Date().toISOString()} ${method} ${isKept ? 'kept' : 'new'}: ${error.message}`),
      )
      await setTimeout(pauseMs)
    }
    agent?.destroy()
  }

  const end = async () => {
    isOver = true
    await Promise.all(clients)
  }
  owner.after(end)
  return { seen, failures, clients: clients.length, end }
}

function request(
  origin: string,
  { method, host }: { method: string; host: string | undefined },
  agent: https.Agent | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = host === undefined ? {} : { host }
    const options = { method, headers, agent: agent ?? (false as const), rejectUnauthorized: false, timeout: 20_000 }
    const sent = https.request(origin, options, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`${response.statusCode}`)),
      )
    })
    sent.on('timeout', () => sent.destroy(new Error('no response within 20 s')))
    sent.on('error', reject)
    sent.end(method === 'POST' ? body : undefined)
  })
}
