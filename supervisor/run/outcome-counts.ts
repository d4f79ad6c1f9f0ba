import { type Metric, measured } from '../base/metrics.ts'

const kinds = ['reload', 'roll'] as const

/** What ends well or is abandoned: a reload, or a rolling restart. */
export type CountedKind = (typeof kinds)[number]

/** Outcomes of reloads and rolling restarts since the start. */
export interface OutcomeCounts {
  /** `at`: time in ms since the Unix epoch. */
  note(kind: CountedKind, isOk: boolean, at: number): void
  metrics(): Metric[]
}

export function createOutcomeCounts(): OutcomeCounts {
  const counts = { reload: { ok: 0, failed: 0 }, roll: { ok: 0, failed: 0 } }
  const last: Partial<Record<CountedKind, { isOk: boolean; succeededAt: number | undefined }>> = {}

  return {
    note(kind, isOk, at) {
      counts[kind][isOk ? 'ok' : 'failed']++
      last[kind] = { isOk, succeededAt: isOk ? at : last[kind]?.succeededAt }
    },
    metrics: () =>
      kinds.flatMap(kind => [
        measured('counter', `${kind}s_total`, `Total ${kind}s by result`, [
          { labels: { result: 'ok' }, value: counts[kind].ok },
          { labels: { result: 'failed' }, value: counts[kind].failed },
        ]),
        // the configuration and the workers of the start were good
        measured('gauge', `last_${kind}_successful`, `Whether the last ${kind} succeeded`, [
          { labels: {}, value: last[kind]?.isOk === false ? 0 : 1 },
        ]),
        measured('gauge', `last_${kind}_success_timestamp_seconds`, `Last ${kind} that succeeded, in Unix time`, [
          { labels: {}, value: seconds(last[kind]?.succeededAt) },
        ]),
      ]),
  }
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms / 1000)
}
