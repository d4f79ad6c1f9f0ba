import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { makeCertificate } from '../make-certificate.ts'
import { createRevocation, past, serialIn } from './acme-revocation.ts'
import { freePorts } from './free-ports.ts'
import { defer, temporaryFolder, until } from './monohull.ts'

/** What the front of the authority does besides passing requests on. */
export interface Behaviour {
  isDown: boolean
  /** Beginning of the paths at which it breaks a request off. */
  breaksAt: string | undefined
  /** Seconds for Retry-After with 429, for so many new orders. */
  limited: { orders: number; seconds: number }
  /** Window suggested for every certificate (RFC 9773); undefined: none is offered. */
  window: { start: Date; end: Date } | undefined
  /** Domains that it takes no orders for. */
  refused: string[]
  /** Answers in place of Pebble, which `pass` asks; undefined breaks the connection off. */
  tamper: Tamper | undefined
}

/** A response that is sent whole, or broken off after some characters. */
export interface Reply {
  status: number
  headers: http.IncomingHttpHeaders
  text: string
  cutAt?: number
}

export type Tamper = (path: string, body: string, pass: () => Promise<Reply>) => Promise<Reply | undefined>

export interface Authority {
  /** Environment for a monohull that uses it. */
  env: Record<string, string>
  /** Port at which it validates by TLS-ALPN-01. */
  tlsPort: number
  behaviour: Behaviour
  /** Payloads of new orders, those it did not take too. */
  orders: { identifiers: { value: string }[]; replaces?: string; profile?: string }[]
  /** How often a window was asked for. */
  asked(): number
  /** Number of accounts that were created. */
  registered(): number
  /** Revokes the certificate that a folder holds, as who has its key may (RFC 8555, 7.6). */
  revoke(folder: string): Promise<void>
  /** The management of its DNS server: `set-txt`, `clear-txt` … */
  dnsUrl: string
  log(): string
}

export interface AuthorityOptions {
  /** Environment of Pebble. */
  env?: Record<string, string>
  /** Keys (base64url) by their ids of the accounts made elsewhere, without which none is made here. */
  accounts?: Record<string, string>
  /** Another CA that validates names at the same port. */
  beside?: Authority
}

/**
 * Pebble, Let's Encrypt's authority for tests, with its DNS server, behind a front that adds what Debian 12's Pebble lacks
 * (renewal information, limits) and can be told to fail.
 */
export async function startAuthority(
  t: TestContext,
  { env: pebbleEnv = {}, accounts, beside }: AuthorityOptions = {},
): Promise<Authority> {
  const folder = temporaryFolder(t)
  makeCertificate(folder, 'localhost', { chain: 'ca.pem', key: 'ca.key' })
  const [api = 0, management = 0, ownChallenges = 0, tlsPort = 0, dns = 0, dnsManagement = 0] = await freePorts(6)
  const challenges = Number(beside?.env.MONOHULL_HTTP_PORT ?? ownChallenges)
  const config = {
    listenAddress: `127.0.0.1:${api}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: join(folder, 'ca.pem'),
    privateKey: join(folder, 'ca.key'),
    httpPort: challenges,
    tlsPort,
    ocspResponderURL: '',
    externalAccountBindingRequired: accounts !== undefined,
    externalAccountMACKeys: accounts ?? {},
    certificateValidityPeriod: 90 * 86_400,
  }
  writeFileSync(join(folder, 'pebble.json'), JSON.stringify({ pebble: config }))
  const run = (command: string, words: string[]) => startProgram(t, { command, words, folder, env: pebbleEnv })
  const dnsUrl = `http://127.0.0.1:${dnsManagement}`
  run('pebble-challtestsrv', [
    ...['-dns01', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${dnsManagement}`, '-defaultIPv6', ''],
    ...['-http01', '', '-https01', '', '-tlsalpn01', ''],
  ])
  run('pebble', ['-config', 'pebble.json', '-strict', '-dnsserver', `127.0.0.1:${dns}`])
  const logFile = join(folder, 'pebble.log')
  const log = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '')
  await until('Pebble to listen', () => /ACME directory available/.test(log()), { details: log })

  const behaviour: Behaviour = {
    isDown: false,
    breaksAt: undefined,
    limited: { orders: 0, seconds: 0 },
    window: undefined,
    refused: [],
    tamper: undefined,
  }
  const orders: Authority['orders'] = []
  const revocation = createRevocation({ api, management, ca: readFileSync(join(folder, 'ca.pem'), 'utf8') })
  let asked = 0
  let registered = 0
  const pass = (request: http.IncomingMessage, body: string) =>
    new Promise<Reply>((resolve, reject) => {
      const { method = 'GET', url: path = '/', headers } = request
      const passed = https.request(
        { host: '127.0.0.1', port: api, method, path, headers, rejectUnauthorized: false, agent: false },
        response => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', part => {
            text += part
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
        },
      )
      passed.on('error', reject)
      passed.end(body)
    })

  async function answer(request: http.IncomingMessage, response: http.ServerResponse, body: string): Promise<void> {
    const problem = (status: number, type: string, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': 'application/problem+json', ...headers })
      response.end(JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail: `the test wants ${type}` }))
    }
    if (request.url?.startsWith('/renewal/')) {
      asked++
      const revoked = await revocation.isRevoked(serialIn(request.url))
      // the day before yesterday, which is how an authority says so (RFC 9773, 4.2)
      const window = revoked ? past : behaviour.window
      if (!window) return problem(404, 'malformed')
      response.writeHead(200, { 'content-type': 'application/json', 'retry-after': '21600' })
      return void response.end(JSON.stringify({ suggestedWindow: window }))
    }
    if (request.url === '/order-plz') {
      const { payload } = JSON.parse(body) as { payload: string }
      const order = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Authority['orders'][number]
      orders.push(order)
      if (behaviour.limited.orders-- > 0)
        return problem(429, 'rateLimited', { 'retry-after': String(behaviour.limited.seconds) })
      if (order.identifiers.some(({ value }) => behaviour.refused.includes(value)))
        return problem(400, 'rejectedIdentifier')
    }
    const passed = () => pass(request, body)
    const reply = await (behaviour.tamper ? behaviour.tamper(request.url ?? '/', body, passed) : passed())
    if (!reply) return void request.socket.destroy()
    const { status, headers, text, cutAt } = reply
    if (request.url === '/sign-me-up' && status === 201) registered++
    delete headers['content-length']
    delete headers['transfer-encoding']
    if (cutAt !== undefined) {
      response.writeHead(status, { ...headers, 'content-length': text.length })
      return void response.write(text.slice(0, cutAt), () => request.socket.destroy())
    }
    response.writeHead(status, headers)
    if (request.url !== '/dir' || !behaviour.window) return void response.end(text)
    response.end(JSON.stringify({ ...JSON.parse(text), renewalInfo: `https://${request.headers.host}/renewal` }))
  }

  const front = https.createServer(
    { cert: readFileSync(join(folder, 'ca.pem')), key: readFileSync(join(folder, 'ca.key')) },
    (request, response) => {
      let body = ''
      request.on('data', part => {
        body += part
      })
      request.on('end', () => {
        const isBroken = behaviour.breaksAt !== undefined && request.url?.startsWith(behaviour.breaksAt)
        if (behaviour.isDown || isBroken) return void request.socket.destroy()
        answer(request, response, body).catch((error: unknown) => response.destroy(error as Error))
      })
    },
  )
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  defer(t, () => {
    front.closeAllConnections()
    front.close()
  })
  const env = {
    MONOHULL_HTTP_PORT: String(challenges),
    MONOHULL_TLS_ACME_DIRECTORY: `https://localhost:${(front.address() as AddressInfo).port}/dir`,
    MONOHULL_TLS_ACME_CA_FILE: join(folder, 'ca.pem'),
    NODE_OPTIONS: `--require=${join(import.meta.dirname, '../fixtures/test-names.cjs')}`,
  }
  return {
    env,
    tlsPort,
    behaviour,
    orders,
    asked: () => asked,
    registered: () => registered,
    revoke: revocation.revoke,
    dnsUrl,
    log,
  }
}

interface Program {
  command: string
  words: string[]
  folder: string
  env: Record<string, string>
}

function startProgram(t: TestContext, { command, words, folder, env }: Program): ChildProcess {
  const child = spawn('sh', ['-c', 'exec "$0" "$@" >"$LOG" 2>&1', command, ...words], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      LOG: join(folder, `${command}.log`),
      PEBBLE_VA_NOSLEEP: '1',
      PEBBLE_WFE_NONCEREJECT: '0',
      PEBBLE_AUTHZREUSE: '0',
      ...env,
    },
    stdio: 'ignore',
  })
  defer(t, async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGKILL')) await ended
  })
  return child
}
