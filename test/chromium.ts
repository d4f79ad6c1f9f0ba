import { spawn } from 'node:child_process'
import { createHash, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { type DevTools, openDevTools } from './devtools.ts'

const pollMs = 20
const deadlineMs = 30_000

/** Where what a test has started is ended again. */
export interface Owner {
  after(end: () => Promise<void>): void
}

export interface BrowserOptions {
  /** Words before its command: a program that becomes it. */
  through?: readonly string[]
  /** Key of a server whose certificate is taken, whoever has signed it. */
  trusts?: KeyObject
  /** Whether it speaks HTTP/3 to 127.0.0.1:443, from the first request on; else it speaks none. */
  usesHttp3?: boolean
  /** Whether it serves its DevTools on loopback. */
  servesDevTools?: boolean
}

export interface Browser {
  /** Opens a page of its own; settles when it has loaded. */
  open(url: string): Promise<Page>
  /** Origin of the files of its DevTools, with `servesDevTools`. */
  devToolsOrigin(): Promise<string>
}

/** A page that has loaded. */
export interface Page {
  status: number
  /** By which the page itself came: http/1.1, h2, h3. */
  protocol: string
  /** What the console shows as an error, and the script's uncaught ones. */
  errors: readonly string[]
  /** Status of each WebSocket's handshake. */
  handshakes: readonly number[]
  /** What an expression gives in the page, as JSON. */
  evaluate<T>(expression: string): Promise<T>
  /** Calls a method of the protocol for this page. */
  call(method: string, params?: object): Promise<unknown>
  /** Settles when the page's text is like that. */
  shows(pattern: RegExp): Promise<void>
}

/** Debian's Chromium without a window; it ends with its owner. */
export function launchChromium(owner: Owner, options: BrowserOptions): Browser {
  const profile = mkdtempSync(join(tmpdir(), 'monohull-chromium-'))
  const [program = '', ...args] = [...(options.through ?? []), 'chromium', ...argumentsFor(profile, options)]
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, HOME: profile },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let printed = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    printed += chunk
  })
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', code => reject(new Error(`chromium ended with ${code}: ${printed}`)))
  })
  ended.catch(() => {}) // told by the call that it fails
  owner.after(async () => {
    // the group: its other processes hold files of the profile
    if (child.pid) signalGroup(child.pid)
    await ended.catch(() => {})
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })
  const [, , , toBrowser, fromBrowser] = child.stdio
  const devTools = openDevTools(toBrowser as Writable, fromBrowser as Readable)
  return {
    open: url => Promise.race([openPage(devTools, url), ended]),
    async devToolsOrigin() {
      let port = ''
      const file = join(profile, 'DevToolsActivePort')
      await Promise.race([
        until('the port of its DevTools', async () => {
          port = readIfPresent(file).split('\n')[0] ?? ''
          return port !== ''
        }),
        ended,
      ])
      return `http://127.0.0.1:${port}`
    },
  }
}

/** Settles when `probe` gives true; fails with `what` after a deadline. */
async function until(what: string, probe: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + deadlineMs
  while (!(await probe())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await new Promise(resolve => setTimeout(resolve, pollMs))
  }
}

function argumentsFor(profile: string, { trusts, usesHttp3, servesDevTools }: BrowserOptions): string[] {
  return [
    '--headless',
    '--no-sandbox', // which root cannot have
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-extensions',
    '--disable-sync',
    '--no-first-run',
    '--no-proxy-server',
    '--remote-debugging-pipe',
    ...(servesDevTools ? ['--remote-debugging-port=0'] : []),
    `--user-data-dir=${profile}`,
    ...(trusts ? [`--ignore-certificate-errors-spki-list=${hashOf(trusts)}`] : []),
    // to a certificate that nobody has signed, it does so for the origins that are named only
    ...(usesHttp3 ? ['--enable-quic', '--origin-to-force-quic-on=127.0.0.1:443'] : ['--disable-quic']),
  ]
}

function readIfPresent(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function hashOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64')
}

function signalGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended
  }
}

async function openPage(devTools: DevTools, url: string): Promise<Page> {
  const { targetId } = await devTools.call('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await devTools.call('Target.attachToTarget', { targetId, flatten: true })
  const call = (method: string, params?: object) => devTools.call(method, params, sessionId)
  const errors: string[] = []
  const handshakes: number[] = []
  let status = 0
  let isLoaded = false
  devTools.onEvent(sessionId, (method, params) => {
    if (method === 'Page.loadEventFired') isLoaded = true
    else if (method === 'Network.responseReceived' && params.type === 'Document') status = params.response.status
    else if (method === 'Network.webSocketHandshakeResponseReceived') handshakes.push(params.response.status)
    else errors.push(...errorsIn(method, params))
  })
  for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await call(`${domain}.enable`)
  const { errorText } = await call('Page.navigate', { url })
  if (errorText) throw new Error(`chromium cannot open ${url}: ${errorText}`)
  await until(`${url} to load`, async () => isLoaded)
  const evaluate = async (expression: string) => {
    const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, returnByValue: true })
    if (exceptionDetails) throw new Error(`cannot evaluate ${expression}: ${JSON.stringify(exceptionDetails)}`)
    return result.value
  }
  return {
    status,
    protocol: await evaluate(`performance.getEntriesByType('navigation')[0].nextHopProtocol`),
    errors,
    handshakes,
    call,
    evaluate,
    async shows(pattern) {
      let shown = ''
      await until(`${url} to show ${pattern}`, async () => {
        shown = await evaluate(`document.body?.innerText ?? ''`)
        return pattern.test(shown)
      }).catch(error => {
        throw new Error(`${error.message}; it shows ${JSON.stringify(shown)}, errors: ${errors.join()}`)
      })
    },
  }
}

/** The icon that no page names is asked for by the browser itself, and most examples have none. */
// biome-ignore lint/suspicious/noExplicitAny: as in devtools.ts
function errorsIn(method: string, params: any): string[] {
  const isError =
    method === 'Runtime.exceptionThrown' ||
    (method === 'Runtime.consoleAPICalled' && params.type === 'error') ||
    (method === 'Log.entryAdded' && params.entry.level === 'error' && !params.entry.url?.endsWith('/favicon.ico'))
  return isError ? [JSON.stringify(params)] : []
}
