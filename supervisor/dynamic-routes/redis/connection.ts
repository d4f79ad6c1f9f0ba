import { type BackoffPolicy, backoffMs } from '../../base/backoff.ts'
import { pause } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { OpenLink, RedisLink } from './link.ts'

/** Dependencies of the connection. */
export interface ConnectionDeps extends Runtime {
  open: OpenLink
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
const pingEveryMs = 1000
/** A server that is slower than this is given up: a frozen one looks the same. */
const pingMs = 3000
const backoff: BackoffPolicy = { initialMs: 100, maxMs: 2000 }

const fixes: [RegExp, string][] = [
  [/WRONGPASS|invalid password|NOAUTH|AUTH/, 'correct dynamic_routes.username and password'],
  [/NOPERM/, 'give this user the commands that docs/guide/dynamic-routes.md lists'],
  [/^DENIED/, 'set a password in Redis, or protected-mode no if only trusted programs can reach it'],
  [/cluster/, 'use a server or Sentinels instead'],
  [/LOADING/, 'wait until it has loaded its data'],
  [/certificate|self.signed|SSL|TLS/i, 'set NODE_EXTRA_CA_CERTS to the CA of its certificate'],
]
/** Failures in a row that are not logged: Redis may start at the same time. About half a second. */
const quietFailures = 3
const usualFix = 'start it, or correct dynamic_routes.store'

/** Connection that begins at once. */
export function createRedisConnection(deps: ConnectionDeps): RedisConnection {
  const { clock, log, random } = deps
  const closing = new AbortController()
  const closed = new Promise<undefined>(resolve =>
    closing.signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  )
  let link: RedisLink | undefined
  let problem: string | undefined = 'the connection is not yet established'
  let logged: string | undefined
  let channel: string | undefined
  let finishAttempt = () => {}
  const firstAttempt = new Promise<void>(resolve => {
    finishAttempt = resolve
  })

  /** Settles when the link is lost, with the reason. */
  async function serve(): Promise<string> {
    const over = new AbortController()
    const lost = new Promise<string>(resolve =>
      over.signal.addEventListener('abort', () => resolve(over.signal.reason), { once: true }),
    )
    const lose = (reason: string) => over.abort(reason)
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
      await withDeadline(deps.onUp(opened), preparationMs)
      if (over.signal.aborted) return await lost
      link = opened
      settle(opened)
      watch(opened, over.signal).catch((error: unknown) => lose(messageOf(error)))
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
    if (logged !== undefined) log.info('dynamic routes are readable again', { store: deps.store })
    logged = undefined
    if (channel !== opened.channel)
      log.info('reading dynamic routes from Redis', { store: deps.store, changes: opened.channel })
    channel = opened.channel
    finishAttempt()
  }

  /** Sends pings: a frozen server or a cut network does not close the connection. Rejects at the first without a response. */
  async function watch(opened: RedisLink, over: AbortSignal): Promise<never> {
    for (;;) {
      await pause(clock, pingEveryMs, over)
      await withDeadline(opened.call(['PING']), pingMs)
    }
  }

  function logFailure(reason: string): void {
    if (logged === reason) return
    logged = reason
    const fix = fixes.find(([pattern]) => pattern.test(reason))?.[1] ?? usualFix
    log.error('cannot read dynamic routes from Redis', { store: deps.store, reason, fix })
  }

  async function run(): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      const startedMs = clock.monotonic()
      const reason = await serve().catch(messageOf)
      if (closing.signal.aborted) return
      const wasUp = problem === undefined
      if (wasUp) deps.onDown()
      failures = wasUp && clock.monotonic() - startedMs > backoff.maxMs ? 1 : failures + 1
      problem = reason
      finishAttempt()
      if (wasUp || failures > quietFailures) logFailure(reason)
      await pause(clock, backoffMs(failures, backoff, random()), closing.signal).catch(() => {})
    }
  }

  function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = clock.after(ms, () => reject(new Error(`no response for ${ms / 1000} s`)))
      work.then(resolve, reject).finally(cancel)
    })
  }

  const running = run()
  return {
    async call(words) {
      if (!link && problem !== undefined) await withDeadline(firstAttempt, replyMs)
      if (!link) throw new Error(`Redis: ${problem}`)
      return withDeadline(link.call(words), replyMs)
    },
    problem: () => problem,
    async close() {
      closing.abort()
      await running
    },
  }
}
