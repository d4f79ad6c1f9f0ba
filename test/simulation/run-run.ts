import type { Outcome } from '../../supervisor/base/outcome.ts'
import type { Command } from '../../supervisor/run/command.ts'
import type { Settings } from '../../supervisor/site/settings.ts'
import type { Violation } from './pool-run.ts'
import { isGood } from './programs.ts'
import { createRandom } from './random.ts'
import { pathsIn, type SiteChoice, settingsOf, stopTimeoutMs, versionOf } from './site.ts'
import { killedOutside } from './system.ts'
import { createTime } from './time.ts'
import { createWholeRun } from './whole-run.ts'

/** Time of one run's actions; the stop follows. */
const activeMs = 6000
/** Time after the last fault in which everything is in order again. */
const recoveryMs = 12_000
/** Time of a stop that somebody hurries, and of the rest of any stop, beyond stop_timeout. */
const overdueMs = 1000
const roundedMs = 50
/** A loop that never ends its work is a fault of its own. */
const mostSteps = 100_000

/** Runs apps, processes and nginx together in the world of a seed, with reloads and faults, and checks what must always hold. */
export async function runWhole(seed: number, trace?: (line: string) => void): Promise<Violation> {
  const random = createRandom(seed)
  const time = createTime()
  const { clock } = time
  const at = (event: string) => trace?.(`-- ${Math.round(clock.monotonic())} ms: ${event}`)
  let violation: Violation
  let isCalm = false
  let versions = 0
  const violate = (what: string) => {
    violation ??= `${Math.round(clock.monotonic())} ms: ${what}`
  }

  function draw(program: () => string, defect: string): Settings {
    const names = random.pick([['web'], ['web', 'api'], ['web', 'api']])
    const choice: SiteChoice = {
      programs: Object.fromEntries(names.map(name => [name, program()])),
      process: random.chance(0.7) ? program() : undefined,
      defect,
    }
    return settingsOf(random, `v${++versions}`, choice)
  }
  const anyProgram = () => random.pick(['good', 'good', 'better', 'broken', 'dying'])
  const anyDefect = () => random.pick(['', '', '', '', 'rejected', 'refused'])
  let next = (): Settings | undefined => (random.chance(0.1) ? undefined : draw(anyProgram, anyDefect()))

  const run = await createWholeRun({
    ...{ time, random, violate, trace: at, isCalm: () => isCalm },
    initial: draw(() => 'good', ''),
    next: () => next(),
    write(line) {
      trace?.(line)
      if (line.includes('did not finish in time')) violate('a stop did not finish in time')
    },
  })
  const { system, nginx } = run

  /** At most two processes in a slot, and one of each background process. */
  function checkProcesses(): void {
    const counts = new Map<string, number>()
    for (const { spec } of system.alive()) counts.set(spec.name, (counts.get(spec.name) ?? 0) + 1)
    for (const [name, count] of counts)
      if (count > (name.startsWith('queue') ? 1 : 2)) violate(`${name} has ${count} processes`)
  }

  const pending = new Set<string>()
  let commands = 0
  async function send(command: Command): Promise<Outcome> {
    const name = `${command.type} (${commands++})`
    const before = versionOf(run.settings())
    const isAlone = pending.size === 0
    at(name)
    pending.add(name)
    const outcome = await run.send(command)
    pending.delete(name)
    at(`${name}: ${outcome.message}${outcome.ok ? '' : `: ${outcome.reason}`}`)
    if (command.type === 'reload' && isAlone && outcome.ok === (versionOf(run.settings()) === before))
      violate(`a reload that ${outcome.ok ? 'finished' : 'was abandoned'} left ${versionOf(run.settings())} in force`)
    return outcome
  }

  function act(): void {
    const choice = random.next()
    if (choice < 0.35) void send({ type: 'reload' })
    else if (choice < 0.45) void send({ type: 'restart' })
    else if (choice < 0.5) void send({ type: 'restart', target: random.pick(['web', 'api', 'queue', 'web.1']) })
    else if (choice < 0.6) void send({ type: 'scale', app: 'web', workers: random.between(1, 3) })
    else if (choice < 0.75) {
      const alive = system.alive()
      if (alive.length > 0) random.pick(alive).exit(random.chance(0.5) ? killedOutside : { kind: 'code', code: 1 })
    } else if (choice < 0.8) for (const master of nginx.masters()) master.kill()
    else {
      system.failing = system.failing > 0 ? 0 : random.pick([0.2, 0.5, 1])
      nginx.failing = system.failing
      at(`calls fail with ${system.failing}`)
    }
  }

  async function until(isDone: () => boolean): Promise<void> {
    for (let steps = 0; !violation && !isDone(); steps++) {
      if (steps > mostSteps) return violate('it never comes to rest')
      if (!(await time.step())) return
      checkProcesses()
    }
  }

  async function wait(ms: number): Promise<void> {
    const end = clock.monotonic() + ms
    clock.after(ms, () => {})
    await until(() => clock.monotonic() >= end)
  }

  /** Everything runs the version in force, and nginx sends requests only where somebody accepts. */
  function checkRest(): void {
    const version = versionOf(run.settings())
    const [name = ''] = version.split(' ')
    const accepted = [...new Set(nginx.acceptedTexts())]
    if (accepted.length !== 1 || accepted[0]?.split('\n')[0] !== version)
      violate(`${version} is in force, and nginx runs ${accepted.join(' | ') || 'nothing'}`)
    const wrong = run.plans().filter(plan => plan.split(' ')[2] !== name)
    if (wrong.length > 0) violate(`${version} is in force, and the plans are ${wrong.join(', ')}`)
    if (!run.plans().every(plan => isGood(plan.split(' ')[1]))) return
    const old = system.alive().filter(({ spec }) => spec.argv[1] !== name)
    if (old.length > 0) violate(`${version} is in force, and ${old.map(({ spec }) => spec.argv.join(' '))} run`)
    const paths = pathsIn(accepted[0] ?? '')
    if (paths.length === 0) violate('nginx has no worker to send requests to')
    for (const path of paths) {
      const descriptor = system.resolve(path)
      if (!system.alive().some(child => child.accepts() && child.spec.inherit[0] === descriptor))
        violate(`nginx sends requests to ${path}, where nobody accepts`)
    }
  }

  /** One reload without faults of the machine. */
  async function reloadCalmly(to: Settings): Promise<Outcome | undefined> {
    next = () => to
    let outcome: Outcome | undefined
    void send({ type: 'reload' }).then(result => {
      outcome = result
    })
    await until(() => outcome !== undefined)
    await wait(recoveryMs)
    if (!violation) checkRest()
    return outcome
  }

  async function checkCalm(): Promise<void> {
    system.failing = 0
    nginx.failing = 0
    isCalm = true
    await wait(recoveryMs)
    await until(() => pending.size === 0)
    const good = await reloadCalmly(draw(() => random.pick(['good', 'better']), ''))
    if (good && !good.ok) violate(`a good version was refused: ${good.reason}`)
    const bad = random.pick([
      () => draw(() => 'broken', ''),
      () => draw(() => 'good', 'rejected'),
      () => draw(() => 'good', 'refused'),
    ])
    const refused = await reloadCalmly(bad())
    if (refused?.ok) violate('a bad version was put in force')
  }

  const onRejection = (reason: unknown) =>
    violate(`unhandled rejection: ${reason instanceof Error ? reason.stack : reason}`)
  process.on('unhandledRejection', onRejection)
  try {
    let isStarted: boolean | undefined
    void run.start().then(result => {
      isStarted = result
    })
    await until(() => isStarted !== undefined)
    for (const begunAt = clock.monotonic(); isStarted && clock.monotonic() < begunAt + activeMs && !violation; ) {
      await wait(random.between(1, 1500))
      act()
    }
    if (isStarted && random.chance(0.5)) await checkCalm()
    if (violation) return violation
    at('stop')
    const stopAt = clock.monotonic()
    let hurriedAt: number | undefined
    if (!isStarted) run.giveUp()
    else void send({ type: 'stop' })
    if (random.chance(0.3))
      clock.after(random.between(0, 2000), () => {
        hurriedAt = clock.monotonic()
        void run.send({ type: 'quickStop' })
      })
    let endedAt: number | undefined
    void run.stopped.then(() => {
      endedAt = clock.monotonic()
      const left = [
        ...system.groupsLeft().map(({ spec }) => spec.name),
        ...nginx.masters().map(({ pid }) => `nginx ${pid}`),
      ]
      if (left.length > 0) violate(`left running after the stop: ${left.join(', ')}`)
    })
    await until(() => false)
    if (endedAt === undefined) violate('the stop does not end')
    const limit = Math.min(stopAt + stopTimeoutMs, hurriedAt ?? Number.POSITIVE_INFINITY) + overdueMs + roundedMs
    if ((endedAt ?? 0) > limit) violate(`the stop took ${(endedAt ?? 0) - stopAt} ms`)
    if (nginx.workers().length > 0) violate('workers of nginx are left')
    if (system.openSockets().length > 0) violate(`left open: ${system.openSockets().join(', ')}`)
    if (pending.size > 0) violate(`not ended by the stop: ${[...pending].join(', ')}`)
  } catch (error) {
    violate(`thrown in a timer: ${error instanceof Error ? error.stack : error}`)
  } finally {
    process.off('unhandledRejection', onRejection)
  }
  return violation
}
