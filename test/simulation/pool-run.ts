import { pause } from '../../supervisor/base/clock.ts'
import { createLog, type Log } from '../../supervisor/base/log.ts'
import type { RollResult } from '../../supervisor/base/roll-result.ts'
import { createOomWatch } from '../../supervisor/processes/oom-watch.ts'
import { createWorkerPool } from '../../supervisor/workers/pool.ts'
import type { BootResult } from '../../supervisor/workers/pool-boot.ts'
import { fateOf, gracefulTimeoutMs, isGood, planOf } from './programs.ts'
import { createRandom } from './random.ts'
import { createSystem, killedOutside } from './system.ts'
import { createTime } from './time.ts'

/** Time of one run's actions; the stop follows. */
const activeMs = 8000
/** Time after the last fault in which everything is in order again: a boot timeout, a backoff, a trial, a drain. */
const recoveryMs = 8000
const longestUpdateMs = 200
/** Time in which nothing may go wrong any more, and the workers of abandoned rolls return to the plan one after the other. */
const restMs = 6000
/** A loop that never ends its work is a fault of its own. */
const mostSteps = 20_000

/** What went wrong in a run; undefined: nothing. */
export type Violation = string | undefined

/** Runs a pool of workers in the world of a seed, with faults, and checks what must always hold. */
export async function runPool(seed: number, trace?: (line: string) => void): Promise<Violation> {
  const random = createRandom(seed)
  const time = createTime()
  const { clock } = time
  const at = (event: string) => trace?.(`-- ${Math.round(clock.monotonic())} ms: ${event}`)
  let isCalm = false
  let calmSince = 0
  let lastFaultAt = 0
  const system = createSystem({ clock, random, fateOf: spec => fateOf(random, spec.argv[0] ?? '', isCalm), trace: at })
  const { spawn, sockets } = system
  let violation: Violation
  let isStopping = false

  function violate(what: string): void {
    violation ??= `${Math.round(clock.monotonic())} ms: ${what}`
  }

  // nginx: one update at a time, which renders when its turn comes, and is in effect some time later
  let inNginx: string[] = []
  let lastUpdate = Promise.resolve()
  function updateNginx(): Promise<void> {
    lastUpdate = lastUpdate.then(async () => {
      const rendered = pool.rotation().flatMap(({ address }) => (address.kind === 'unix' ? [address.path] : []))
      await pause(clock, random.between(0, longestUpdateMs))
      inNginx = rendered
    })
    return lastUpdate
  }

  const pool = createWorkerPool(
    {
      clock,
      spawn,
      sockets,
      random: random.next,
      log: trace ? createLog({ format: 'text', level: 'info', now: clock.now, write: trace }) : silent,
      runDir: '/run',
      probe: {
        async responds(address, timeoutMs) {
          const descriptor = address.kind === 'unix' ? system.resolve(address.path) : undefined
          if (descriptor === undefined) return false
          const responded = system.accepted(descriptor).then(() => pause(clock, random.between(0, 20)))
          return Promise.race([responded.then(() => true), pause(clock, timeoutMs).then(() => false)])
        },
        respondsToGet: async () => true,
      },
      portsOf: () => [],
      ownerOf: () => undefined,
      readStack: async () => [],
      memoryOf: () => new Map(),
      oomWatch: createOomWatch({ oomKills: () => 0, limit: () => undefined }),
      inFlight: { of: async () => [] },
      failedTries: { exited: () => ({ refused: async () => [] }) },
      onRotation: updateNginx,
      onWorkerEvent() {},
      onDeath: () => false,
    },
    planOf(random, 'good'),
  )

  /** At most two processes in a slot, whatever happens. */
  function checkSlots(): void {
    const counts = new Map<string, number>()
    for (const { spec } of system.alive()) counts.set(spec.name, (counts.get(spec.name) ?? 0) + 1)
    for (const [name, count] of counts) if (count > 2) violate(`${name} has ${count} processes`)
  }

  /** No entry in nginx leads to an open socket behind which nobody accepts, or will, while another worker serves. */
  function checkEntries(): void {
    // it boots fast and dies after its trial: a fault that no calm ends
    if (system.alive().some(({ spec }) => spec.argv[0] === 'dying')) lastFaultAt = clock.monotonic()
    if (isStopping || !isCalm || clock.monotonic() - Math.max(calmSince, lastFaultAt) < recoveryMs) return
    const status = pool.status()
    // a command that came late has added workers beside the one that it wakes
    if (status.some(({ state }) => state === 'waking')) return
    if (!status.some(({ state }) => state === 'serving' || state === 'replacing')) return
    for (const entry of inNginx) {
      const descriptor = system.resolve(entry)
      const holders = system.alive().filter(child => child.spec.inherit[0] === descriptor)
      if (descriptor === undefined) violate(`nginx sends requests to ${entry}, where no socket is`)
      else if (!holders.some(child => child.accepts()))
        violate(`nginx sends requests to ${entry}, where nobody accepts`)
    }
  }

  function check(): void {
    checkSlots()
    checkEntries()
  }

  /** In calm times: the first client after the sleep gets a worker. */
  async function sleepAndWake(): Promise<void> {
    if (pool.isAsleep()) at('it sleeps already')
    else sleep()
    await until(undefined, () => pending.size === 0)
    if (violation) return
    if (!pool.isAsleep()) return violate('it does not fall asleep in calm times')
    const asleepAt = clock.monotonic()
    await until(asleepAt + gracefulTimeoutMs + 100, () => system.alive().length === 0)
    if (system.alive().length > 0) return violate('a worker outlives the beginning of the sleep')
    const before = restarts()
    const [entry] = inNginx
    const descriptor = entry === undefined ? undefined : system.connect(entry)
    if (descriptor === undefined) return violate(`a client of a sleeping app is refused at ${entry}`)
    const wokenAt = clock.monotonic()
    await until(wokenAt + recoveryMs + restMs, () => pool.status().every(({ state }) => state === 'serving'))
    if (system.isWaitedFor(descriptor)) violate('the client that wakes the app waits for ever')
    if (restarts() !== before) violate('a wake-up counts as a restart')
  }

  const pending = new Set<string>()
  function command(name: string, act: () => Promise<RollResult>, after: (result: RollResult) => void = () => {}): void {
    at(`${name}`)
    pending.add(name)
    act().then(
      result => {
        pending.delete(name)
        at(`${name} ${result.ok ? 'finished' : `failed: ${result.reason}`}`)
        after(result)
      },
      error => violate(`${name} threw ${error}`),
    )
  }

  function roll(): void {
    const before = pool.plan()
    const next = planOf(random, random.pick(['good', 'better', 'broken', 'dying']))
    command(
      `roll ${next.argv[0]} ${next.count} (${commands++})`,
      () => pool.roll(next),
      ({ ok }) => {
        const now = pool.plan()
        void updateNginx() // as a reload does
        if (ok ? now.argv !== next.argv : now.argv === next.argv && before.argv !== next.argv)
          violate(`a roll that ${ok ? 'finished' : 'was abandoned'} left the plan ${now.argv[0]}`)
      },
    )
  }

  /** A trial of a reload that another app abandons, or that goes on after a while. */
  function tryOut(): void {
    const next = planOf(random, random.pick(['good', 'better', 'broken', 'dying']))
    command(`try ${next.argv[0]} ${next.count} (${commands++})`, async () => {
      const { tried, finish, abandon } = await pool.tryOut(next)
      await pause(clock, random.between(0, 3000))
      if (tried.ok && random.chance(0.7)) await abandon()
      else if (tried.ok) await finish()
      void updateNginx()
      return tried
    })
  }

  /** Puts the pool to sleep. A wake-up is no restart. */
  function sleep(): void {
    command(`sleep (${commands++})`, async () => {
      const sleeping = await pool.sleep(async () => true).catch(() => undefined)
      if (sleeping) at('asleep')
      return { ok: true }
    })
  }

  /** A client that nginx sends to some entry. Later, somebody has accepted it, or its queue has closed. */
  function connect(): void {
    if (inNginx.length === 0) return
    const entry = random.pick(inNginx)
    at(`a client comes to ${entry}`)
    const before = pool.isAsleep() ? restarts() : undefined
    const descriptor = system.connect(entry)
    if (before !== undefined && descriptor !== undefined && restarts() !== before)
      violate('a wake-up counts as a restart')
    if (descriptor !== undefined) clients.add(descriptor)
  }

  const clients = new Set<number>()
  const restarts = () => pool.status().reduce((sum, worker) => sum + worker.restarts, 0)

  let commands = 0
  function act(): void {
    const choice = random.next()
    const isQuiet = random.chance(0.3)
    if (isQuiet && choice < 0.5) sleep()
    else if (isQuiet) connect()
    else if (choice < 0.15) roll()
    else if (choice < 0.25) tryOut()
    else if (choice < 0.35) command(`restart (${commands++})`, () => pool.restart())
    else if (choice < 0.45) command(`restart app.1 (${commands++})`, () => pool.restart('app.1'))
    else if (choice < 0.6) {
      const count = random.between(1, 4)
      command(`scale ${count} (${commands++})`, () => pool.scale(count))
    } else if (choice < 0.8) {
      const alive = system.alive()
      if (alive.length > 0) random.pick(alive).exit(random.chance(0.5) ? killedOutside : { kind: 'code', code: 1 })
    } else {
      system.failing = system.failing > 0 ? 0 : random.pick([0.2, 0.5, 1])
      at(`calls fail with ${system.failing}`)
    }
  }

  async function until(end: number | undefined, isDone: () => boolean = () => false): Promise<void> {
    for (let steps = 0; !violation && !isDone(); steps++) {
      if (end !== undefined && clock.monotonic() >= end) return
      if (steps > mostSteps) return violate('it never comes to rest')
      if (!(await time.step())) return
      check()
    }
  }

  const onRejection = (reason: unknown) =>
    violate(`unhandled rejection: ${reason instanceof Error ? reason.stack : reason}`)
  process.on('unhandledRejection', onRejection)
  try {
    let started: BootResult | undefined
    void pool.start(random.between(1, pool.plan().count)).then(result => {
      started = result
    })
    let areAllStarted = false
    clock.after(random.between(0, 500), () => {
      pool.startOthers()
      areAllStarted = true
    })
    await until(undefined, () => started !== undefined && areAllStarted)
    if (violation) return violation
    const begunAt = clock.monotonic()
    for (let actAt = begunAt; started?.ok && actAt < begunAt + activeMs; ) {
      actAt += random.between(1, 1500)
      let isDue = false
      clock.after(actAt - clock.monotonic(), () => {
        isDue = true
      })
      await until(undefined, () => isDue)
      if (violation) return violation
      act()
    }
    // half of the runs are stopped in the middle of everything
    if (started?.ok && random.chance(0.5)) {
      system.failing = 0
      isCalm = true
      calmSince = clock.monotonic()
      await until(undefined, () => pending.size === 0)
      const restedAt = Math.max(clock.monotonic(), calmSince + recoveryMs) + restMs
      await until(undefined, () => clock.monotonic() >= restedAt)
      if (violation) return violation
      if (pending.size > 0) violate(`not ended: ${[...pending].join(', ')}`)
      for (const descriptor of clients)
        if (system.isWaitedFor(descriptor) && isGood(pool.plan().argv[0]))
          violate(`a client waits at ${descriptor} for ever`)
      if (isGood(pool.plan().argv[0])) await sleepAndWake()
      if (violation) return violation
      const wrong = pool
        .status()
        .filter(({ state, isInRotation }) => (state !== 'serving' && state !== 'replacing') || !isInRotation)
      const program = pool.plan().argv[0]
      if (wrong.length > 0 && isGood(program))
        violate(`not serving after the faults: ${wrong.map(({ name, state }) => `${name} ${state}`).join(', ')}`)
      const others = isGood(program) ? system.alive().filter(({ spec }) => spec.argv[0] !== program) : []
      if (others.length > 0)
        violate(`${others.length} processes run ${others[0]?.spec.argv[0]}, the plan says ${program}`)
      if (violation) return violation
    }
    isStopping = true
    at(`stop`)
    const stopAt = clock.monotonic()
    let isStopped = false
    void pool.stop(gracefulTimeoutMs).then(() => {
      isStopped = true
      const tookMs = clock.monotonic() - stopAt
      // one look at the groups follows the SIGKILL
      if (tookMs > gracefulTimeoutMs + 100) violate(`the stop took ${tookMs} ms`)
      const left = system.groupsLeft()
      if (left.length > 0) violate(`left running after the stop: ${left.map(({ spec }) => spec.name).join(', ')}`)
    })
    await until(undefined)
    if (!isStopped) violate('the stop does not end')
    const left = system.groupsLeft()
    if (left.length > 0) violate(`left running at the end: ${left.map(({ spec }) => spec.name).join(', ')}`)
    if (system.openSockets().length > 0) violate(`left open: ${system.openSockets().join(', ')}`)
    if (pending.size > 0) violate(`not ended by the stop: ${[...pending].join(', ')}`)
  } catch (error) {
    violate(`thrown in a timer: ${error instanceof Error ? error.stack : error}`)
  } finally {
    process.off('unhandledRejection', onRejection)
  }
  return violation
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
