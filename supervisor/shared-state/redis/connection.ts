import { type BackoffPolicy, backoffMs } from '../../base/backoff.ts'
import { pause } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { OpenLink, RedisLink } from './link.ts'

/** Purpose of a store, for messages. */
export interface StorePurpose {
  /** Message of a connection that is established, such as `reading dynamic routes from Redis`. */
  connected: string
  /** Message of one that fails. */
  failed: string
  /** Section of the configuration that names the store. */
  section: string
  /** Key of its URL in this section. */
  urlKey: string
  /** Page that lists the commands it needs. */
  guide: string
}

/** Dependencies of the connection. */
export interface ConnectionDeps extends Runtime {
  open: OpenLink
  purpose: StorePurpose
  /** Address of the store, for the log, without a password. */
  store: string
  onChange(key: string | undefined): void
  /** Called for each new link, before it is used for anything else. If it rejects, the link is given up. */
  onUp(link: RedisLink): Promise<void>
  onDown(): void
}

/** Connection to the store that is established again whenever it is lost. */
export interface RedisConnection {
  /** Rejects if there is no reply in time, and while there is no connection. */
  call(words: readonly string[]): Promise<unknown>
  /** Reason why there is no connection; undefined if there is one. */
  problem(): string | undefined
  close(): Promise<void>
}

/** Longest time until a new link is ready for questions. */
const preparationMs = 30_000
/** nginx waits for two seconds. */
const replyMs = 1500
/** Time for which a question waits for a link that was lost a moment ago: Redis may restart, or start at the same time. */
const graceMs = 1000
const pingEveryMs = 1000
/** A server that is slower than this is given up: a frozen one looks the same. */
const pingMs = 3000
const backoff: BackoffPolicy = { initialMs: 100, maxMs: 2000 }

const fixes: [RegExp, string | ((purpose: StorePurpose) => string)][] = [
  [
    /^no Sentinel .*(WRONGPASS|NOAUTH|AUTH|NOPERM)/,
    ({ section }) => `set ${section}.sentinel_password, and sentinel_username if they have users`,
  ],
  [/WRONGPASS|invalid password|NOAUTH|AUTH/, ({ section }) => `correct ${section}.username and password`],
  [/NOPERM/, ({ guide }) => `give this user the commands that ${guide} lists`],
  [/^DENIED/, 'set a password in Redis, or protected-mode no if only trusted programs can reach it'],
  [/belongs to a cluster/, purpose => `write redis+cluster:// in place of redis:// in ${urlKeyOf(purpose)}`],
  [/cluster support disabled/, purpose => `write redis:// in place of redis+cluster:// in ${urlKeyOf(purpose)}`],
  [/CLUSTERDOWN|no server for slot/, 'repair the cluster: redis-cli --cluster check HOST:PORT'],
  [/name another master|name a replica|masters of the cluster have changed/, 'none needed: they are followed'],
  [/READONLY|takes no writes/, purpose => `name the master in ${urlKeyOf(purpose)}, or its Sentinels`],
  [/LOADING/, 'wait until it has loaded its data'],
  [/certificate|self.signed|SSL|TLS/i, 'set NODE_EXTRA_CA_CERTS to the CA of its certificate'],
]
/** Time for which failures at startup are not logged: Redis may start at the same time. */
const quietMs = 500

/** Connection that begins at once. */
export function createRedisConnection(deps: ConnectionDeps): RedisConnection {
  const { clock, log, random, purpose } = deps
  const closing = new AbortController()
  const closed = new Promise<undefined>(resolve =>
    closing.signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  )
  let link: RedisLink | undefined
  let loseLink = (_reason: string) => {}
  let problem: string | undefined = 'the connection is not yet established'
  let logged: string | undefined
  let channel: string | undefined
  let waiting = waitForLink()

  /** Settles when the link is lost, with the reason. */
  async function serve(): Promise<string> {
    const over = new AbortController()
    const lost = new Promise<string>(resolve =>
      over.signal.addEventListener('abort', () => resolve(over.signal.reason), { once: true }),
    )
    const lose = (reason: string) => over.abort(reason)
    loseLink = lose
    const opening = deps.open({ onChange: deps.onChange, onLost: lose })
    const opened = await Promise.race([opening, closed])
    if (!opened) {
      // a stop does not wait for a server that does not respond
      opening.then(late => late.close()).catch(() => {})
      return 'closed'
    }
    const end = () => lose('closed')
    closing.signal.addEventListener('abort', end)
    try {
      watch(opened, over.signal).catch((error: unknown) => lose(messageOf(error)))
      await Promise.race([withDeadline(deps.onUp(opened), preparationMs), lost])
      if (over.signal.aborted) return await lost
      link = opened
      settle(opened)
      return await lost
    } finally {
      closing.signal.removeEventListener('abort', end)
      link = undefined
      lose('')
      opened.close()
    }
  }

  function settle(opened: RedisLink): void {
    problem = undefined
    // routes may still be missing
    if (logged !== undefined) log.info('connected to Redis again', { store: deps.store })
    logged = undefined
    if (channel !== opened.channel) log.info(purpose.connected, { store: deps.store, changes: opened.channel })
    channel = opened.channel
    waiting.end()
  }

  /** Grace of questions that find no link: until there is one, or for so long that it is an outage. */
  function waitForLink(): { over: Promise<void>; end(): void } {
    let end = () => {}
    const over = new Promise<void>(resolve => {
      const cancel = clock.after(graceMs, resolve)
      end = () => {
        cancel()
        resolve()
      }
    })
    return { over, end }
  }

  /** Checks the link at intervals: a frozen server or a cut network does not close the connection. Rejects at the first failure. */
  async function watch(opened: RedisLink, over: AbortSignal): Promise<never> {
    for (;;) {
      await pause(clock, pingEveryMs, over)
      await withDeadline(opened.check(), pingMs)
    }
  }

  function logFailure(reason: string): void {
    if (logged === reason) return
    logged = reason
    log.error(purpose.failed, { store: deps.store, reason, fix: fixOf(reason, purpose) })
  }

  async function run(): Promise<void> {
    let downSinceMs = clock.monotonic()
    for (let failures = 0; !closing.signal.aborted; ) {
      const startedMs = clock.monotonic()
      const reason = await serve().catch(messageOf)
      if (closing.signal.aborted) return
      const wasUp = problem === undefined
      if (wasUp) {
        deps.onDown()
        downSinceMs = clock.monotonic()
        waiting = waitForLink()
      }
      failures = wasUp && downSinceMs - startedMs > backoff.maxMs ? 1 : failures + 1
      problem = reason
      if (wasUp || clock.monotonic() - downSinceMs >= quietMs) logFailure(reason)
      await pause(clock, backoffMs(failures, backoff, random()), closing.signal).catch(() => {})
    }
  }

  function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = clock.after(ms, () => reject(new Error(`no response for ${ms / 1000} s`)))
      work.then(resolve, reject).finally(cancel)
    })
  }

  async function ask(words: readonly string[]): Promise<unknown> {
    if (!link) await waiting.over
    if (!link) throw new Error(`Redis: ${problem}`)
    try {
      return await link.call(words)
    } catch (error) {
      // the server became a replica, and the address may already lead to the new master
      if (/\bREADONLY\b/.test(messageOf(error))) loseLink('READONLY: the server became a replica')
      throw error
    }
  }

  const running = run()
  return {
    call: words => withDeadline(ask(words), replyMs),
    problem: () => problem,
    async close() {
      closing.abort()
      waiting.end()
      await running
    },
  }
}

function urlKeyOf({ section, urlKey }: StorePurpose): string {
  return `${section}.${urlKey}`
}

function fixOf(reason: string, purpose: StorePurpose): string {
  const fix = fixes.find(([pattern]) => pattern.test(reason))?.[1] ?? `start it, or correct ${urlKeyOf(purpose)}`
  return typeof fix === 'string' ? fix : fix(purpose)
}
