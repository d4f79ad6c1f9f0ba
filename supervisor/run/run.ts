import { systemClock } from '../base/adapters/system-clock.ts'
import type { Change } from '../base/change.ts'
import type { Log } from '../base/log.ts'
import type { Metric } from '../base/metrics.ts'
import type { Outcome } from '../base/outcome.ts'
import { noneRunning, type RunningModel } from '../site/compose.ts'
import type { Settings } from '../site/settings.ts'
import { createAttempt } from './attempt.ts'
import { type HealthFacts, readiness } from './health.ts'
import { createOutcomeCounts } from './outcome-counts.ts'
import { runMetrics, type Status } from './status.ts'
import type { Subject } from './subject.ts'

/** Next settings, and the next generation of the subjects that change. */
export interface Proposal {
  settings: Settings
  changes: ReadonlyMap<Subject, Change<RunningModel>>
}

/** Subjects that run under one supervisor, in the order in which they were opened. */
export interface Run {
  /** The settings in force. */
  settings(): Settings
  /** Adds a subject that was just opened. One that is added while the run drains is quiesced too. */
  add<T extends Subject>(subject: T): T
  subjects(): readonly Subject[]
  /** Part of nginx's model that the subjects provide: now, or with a proposal. */
  model(proposal?: Proposal): RunningModel
  /** Puts a proposal in force in one step. Settles when everything it replaces has ended. */
  adopt(proposal: Proposal): Promise<void>
  /** Records the outcome of a reload, for the status. */
  reloaded(outcome: Outcome): void
  /** Counts a rolling restart for the metrics. */
  rolled(outcome: Outcome): void
  isDraining(): boolean
  /** Ends readiness and quiesces every subject. Settles when all are quiet. */
  drain(): Promise<void>
  /** Reads what is not kept current, before a status. */
  refresh(): Promise<void>
  status(): Status
  metrics(): Promise<Metric[]>
  health(): HealthFacts
}

/** Run without subjects. */
export function createRun(initial: Settings, log: Log): Run {
  const startedAt = systemClock.monotonic()
  const subjects: Subject[] = []
  const attempt = createAttempt(log)
  const outcomes = createOutcomeCounts()
  let inForce = initial
  let isDraining = false
  let lastReload: Status['lastReload']

  const run: Run = {
    settings: () => inForce,
    subjects: () => subjects,
    add(subject) {
      subjects.push(subject)
      if (isDraining) void attempt('cannot stop', subject.name, () => subject.quiesce?.())
      return subject
    },
    model({ settings, changes } = { settings: inForce, changes: new Map() }) {
      const parts = subjects.map(subject => changes.get(subject)?.model?.() ?? subject.model?.(settings))
      return Object.assign({}, noneRunning, ...parts)
    },
    async adopt({ settings, changes }) {
      inForce = settings
      await Promise.all(
        [...changes].map(([{ name }, change]) => attempt('cannot finish a reload', name, () => change.commit?.())),
      )
    },
    reloaded(outcome) {
      const at = new Date(systemClock.now()).toISOString()
      outcomes.note('reload', outcome.ok, systemClock.now())
      lastReload = { at, ok: outcome.ok, text: outcome.ok ? outcome.message : outcome.reason }
    },
    rolled(outcome) {
      outcomes.note('roll', outcome.ok, systemClock.now())
    },
    isDraining: () => isDraining,
    async drain() {
      isDraining = true
      await Promise.all(subjects.map(({ name, quiesce }) => attempt('cannot stop', name, () => quiesce?.())))
    },
    async refresh() {
      await Promise.all(subjects.map(subject => subject.refresh?.()))
    },
    status() {
      const { status } = readiness(run.health())
      return Object.assign(
        {
          pid: process.pid,
          state: isDraining ? 'stopping' : status === 200 ? 'ready' : 'not ready',
          uptimeSeconds: Math.round((systemClock.monotonic() - startedAt) / 1000),
          warnings: [
            ...(lastReload?.ok === false
              ? [`the last reload, at ${lastReload.at}, was abandoned: ${lastReload.text}`]
              : []),
            ...subjects.flatMap(subject => subject.warnings?.() ?? []),
          ],
          ...(lastReload ? { lastReload } : {}),
          http: [],
          https: [],
          workers: [],
          scaled: [],
          processes: [],
          upstreams: [],
        } satisfies Status,
        ...subjects.map(subject => subject.status?.()),
      )
    },
    async metrics() {
      await run.refresh()
      const parts = await Promise.all(subjects.map(subject => subject.metrics?.() ?? []))
      return [...runMetrics(run.status()), ...outcomes.metrics(), ...parts.flat()]
    },
    health() {
      const failing = firstOf(subject => subject.failing?.())
      const unready = failing ?? firstOf(subject => subject.unready?.())
      return { isDraining, failing, unready, workers: firstOf(subject => subject.workers?.()) }
    },
  }
  return run

  function firstOf<T>(read: (subject: Subject) => T | undefined): T | undefined {
    return subjects.map(read).find(found => found !== undefined)
  }
}
