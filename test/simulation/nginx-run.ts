import { createLog, type Log } from '../../supervisor/base/log.ts'
import { createNginx } from '../../supervisor/nginx/service.ts'
import { createNginxMachine, type Defect } from './nginx-machine.ts'
import type { Violation } from './pool-run.ts'
import { createRandom } from './random.ts'
import { createTime } from './time.ts'

/** Time of one run's actions; the stop follows. */
const activeMs = 8000
/** Time after the last fault in which everything is in order again: a backoff, a load, the orphans of a dead master. */
const recoveryMs = 30_000
const stopMs = 2000
/** A loop that never ends its work is a fault of its own. */
const mostSteps = 100_000

/** Runs nginx with its reloads in the world of a seed, with faults, and checks what must always hold. */
export async function runNginx(seed: number, trace?: (line: string) => void): Promise<Violation> {
  const random = createRandom(seed)
  const time = createTime()
  const { clock } = time
  const at = (event: string) => trace?.(`-- ${Math.round(clock.monotonic())} ms: ${event}`)
  let violation: Violation
  function violate(what: string): void {
    violation ??= `${Math.round(clock.monotonic())} ms: ${what}`
  }

  const defectOf = (text: string) => /rejected|refused/.exec(text)?.[0] as Defect | undefined
  const machine = createNginxMachine({ clock, random, defectOf, violate, trace: at })
  const nginx = createNginx({
    clock,
    random: random.next,
    log: trace ? createLog({ format: 'text', level: 'info', now: clock.now, write: trace }) : silent,
    spawn: machine.spawn,
    files: machine.files,
    processes: machine.processes,
    askGeneration: machine.askGeneration,
    descriptors: [],
    env: {},
  })
  const pending = new Set<string>()
  let texts = 0
  /** Changes of what fails so far. */
  let failures = 0
  let applied = 'text 0'
  let isStopping = false

  const rendered = (text: string) => ({ files: new Map([['site.conf', text]]), ownConf: undefined })

  function apply(): void {
    const text = `text ${++texts} ${random.pick(['', '', '', 'rejected', 'refused'])}`
    at(`apply ${text}`)
    pending.add(text)
    nginx
      .apply(
        () => rendered(text),
        () => {
          if (isStopping) return
          applied = text
          if (machine.currentText() !== text) violate(`${text} was applied, and ${machine.currentText()} is in use`)
        },
      )
      .catch((error: Error) => {
        at(`not applied: ${error.message}`)
        if (failures === 0 && !isStopping && machine.currentText() !== applied)
          violate(`${text} was not applied, and ${machine.currentText()} is in use`)
      })
      .finally(() => pending.delete(text))
  }

  function act(): void {
    const choice = random.next()
    if (choice < 0.5) apply()
    else if (choice < 0.6) for (const master of machine.masters()) master.kill()
    else if (choice < 0.7) for (const { pid } of machine.workers().slice(0, 1)) machine.killWorker(pid)
    else if (choice < 0.8) void nginx.retireOrphans()
    else {
      failures++
      machine.failing = machine.failing > 0 ? 0 : random.pick([0.2, 0.5, 1])
      at(`calls fail with ${machine.failing}`)
    }
  }

  async function until(isDone: () => boolean): Promise<void> {
    for (let steps = 0; !violation && !isDone(); steps++) {
      if (steps > mostSteps) return violate('it never comes to rest')
      if (!(await time.step())) return
    }
  }

  async function wait(ms: number): Promise<void> {
    const end = clock.monotonic() + ms
    clock.after(ms, () => {})
    await until(() => clock.monotonic() >= end)
  }

  const onRejection = (reason: unknown) =>
    violate(`unhandled rejection: ${reason instanceof Error ? reason.stack : reason}`)
  process.on('unhandledRejection', onRejection)
  try {
    let isStarted = false
    void nginx.start(rendered(applied)).then(() => {
      isStarted = true
    })
    await until(() => isStarted)
    for (const begunAt = clock.monotonic(); clock.monotonic() < begunAt + activeMs && !violation; ) {
      await wait(random.between(1, 1500))
      act()
    }
    // half of the runs are stopped in the middle of everything
    if (random.chance(0.5)) {
      machine.failing = 0
      await wait(recoveryMs)
      await until(() => pending.size === 0)
      if (machine.currentText() !== applied) violate(`${applied} was applied, and ${machine.currentText()} is in use`)
      if (random.chance(0.5)) for (const master of machine.masters()) master.kill()
      await wait(random.between(0, 2000))
      let isApplied = false
      void nginx
        .apply(() => rendered('last'))
        .then(() => {
          isApplied = true
        }, violate)
      const hasMaster = () => machine.masters().some(({ pid }) => machine.processes.childrenOf(pid).length > 0)
      await until(() => isApplied && hasMaster())
      await wait(200)
      const accepted = [...new Set(machine.acceptedTexts())]
      if (accepted.join() !== 'last') violate(`the last configuration was applied, and nginx runs ${accepted}`)
      if (machine.masters().length !== 1) violate(`${machine.masters().length} masters run`)
    }
    if (violation) return violation
    isStopping = true
    at('stop')
    const stopAt = clock.monotonic()
    let isStopped = false
    void nginx.stop(random.pick(['graceful', 'fast']), stopMs).then(() => {
      isStopped = true
      const tookMs = clock.monotonic() - stopAt
      // a test that runs ends first, and a look at the groups follows the SIGKILL
      if (tookMs > stopMs + 500) violate(`the stop took ${tookMs} ms`)
      if (machine.masters().length > 0) violate('a master runs after the stop')
    })
    await until(() => false)
    if (!isStopped) violate('the stop does not end')
    if (machine.masters().length + machine.workers().length > 0) violate('left running at the end')
    if (pending.size > 0) violate(`not ended by the stop: ${[...pending].join(', ')}`)
  } catch (error) {
    violate(`thrown in a timer: ${error instanceof Error ? error.stack : error}`)
  } finally {
    process.off('unhandledRejection', onRejection)
  }
  return violation
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
