import { randomUUID } from 'node:crypto'
import { gauge, type Metric } from '../base/metrics.ts'
import type { Runtime } from '../base/runtime.ts'
import type { SharedStateKeys } from './keys.ts'
import { createLocks, type Evaluate } from './locks.ts'
import { createMembers } from './members.ts'
import { sharedKeys } from './names.ts'
import { createRecords } from './records.ts'
import { createRedisConnection } from './redis/connection.ts'
import type { OpenLink, RedisLink } from './redis/link.ts'
import { formatRedisUrl, readRedisUrl } from './redis/url.ts'
import { timeScript } from './scripts.ts'
import { createSealing } from './sealing.ts'
import type { SharedState } from './state.ts'
import { createSharedTime } from './time.ts'
import { createWatchers } from './watchers.ts'

/** Status of the shared state. */
export interface SharedStateStatus {
  /** Address of the server, without its login. */
  store: string
  /** Reason why it is unavailable; undefined if it is connected. */
  problem: string | undefined
}

/** Shared state of a run, which connects in the background. */
export interface OpenSharedState extends SharedState {
  /** Name of the subject of the run. */
  readonly name: string
  status(): { sharedState: SharedStateStatus }
  warnings(): string[]
  metrics(): Metric[]
  close(): Promise<void>
}

const purpose = {
  connected: 'connected to the shared state',
  failed: 'cannot reach the shared state',
  section: 'shared_state',
  urlKey: 'url',
  guide: 'docs/guide/scaling.md',
}

/** Opens the shared state. It does not wait for Redis. */
export function openSharedState(runtime: Runtime, settings: SharedStateKeys): OpenSharedState {
  const { clock } = runtime
  const reading = readRedisUrl(settings.url)
  if (!reading.ok) throw new Error(`shared_state.url ${reading.problem}`)
  const url = reading.value
  const store = formatRedisUrl(url)
  const keys = sharedKeys(settings.prefix)
  const id = randomUUID()
  const watchers = createWatchers({ clock, records: keys.records })
  const connection = createRedisConnection({
    ...runtime,
    purpose,
    store,
    open: openLater(async () => {
      // the client is large, and workers boot meanwhile
      const { linkOpener, linkTarget } = await import('./redis/adapters/open-link.ts')
      return linkOpener(linkTarget(url, settings, { prefix: keys.records, needsMaster: true }))
    }),
    onChange: watchers.report,
    async onUp(link: RedisLink) {
      watchers.begin(link.channel)
      // the link is in use in the next turn
      clock.after(0, () => void members.beat())
    },
    onDown: watchers.end,
  })
  const { call } = connection
  const evaluate: Evaluate = (script, names, values) =>
    call(['EVAL', script, String(names.length), ...names, ...values])
  const members = createMembers({ clock, evaluate, keys, id })
  return {
    name: 'shared state',
    id,
    problem: connection.problem,
    ...createSharedTime({ clock, ask: async () => Number(await evaluate(timeScript, [keys.counter], [])) }),
    ...createRecords({ call, evaluate, keys }),
    ...createLocks({ clock, evaluate, keys, id, leaseMs: settings.lease }),
    watch: watchers.watch,
    ...createSealing(settings.secret),
    members: members.members,
    introduce: members.introduce,
    status: () => ({ sharedState: { store, problem: connection.problem() } }),
    warnings() {
      const problem = connection.problem()
      return problem === undefined ? [] : [`the shared state is unavailable: ${problem}`]
    },
    metrics: () => [
      gauge(
        'shared_state_connected',
        'Whether the shared state is available',
        connection.problem() === undefined ? 1 : 0,
      ),
    ],
    async close() {
      await members.leave(connection.problem() === undefined)
      watchers.close()
      await connection.close()
    },
  }
}

/** Opener of links that is created at the first link. */
function openLater(create: () => Promise<OpenLink>): OpenLink {
  let opener: Promise<OpenLink> | undefined
  return async events => {
    opener ??= create()
    return (await opener)(events)
  }
}
