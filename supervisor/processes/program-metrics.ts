import type { Metric } from '../base/metrics.ts'

/** Status of one process of a program. */
interface Member {
  /** `app.1` */
  name: string
  state: string
  restarts: number
  crashes: number
  replacements?: number
  deaths?: Readonly<Record<string, number>>
  failedChecks?: number | undefined
}

const slotStates = ['pending', 'idle', 'booting', 'serving', 'replacing', 'waiting']

/** Metrics of the workers of all apps. */
export function workerMetrics(workers: readonly Member[]): Metric[] {
  return [
    {
      name: 'workers',
      type: 'gauge',
      help: 'Workers of an app by state',
      samples: countStates('app', [...slotStates, 'not accepting', 'asleep', 'waking'], workers),
    },
    {
      name: 'worker_restarts_total',
      type: 'counter',
      help: 'Total worker restarts',
      samples: workers.map(({ name, restarts }) => ({ labels: { app: ownerOf(name), worker: name }, value: restarts })),
    },
    {
      name: 'worker_crashes_total',
      type: 'counter',
      help: 'Total ends of workers that nobody requested',
      samples: workers.map(({ name, crashes }) => ({ labels: { app: ownerOf(name), worker: name }, value: crashes })),
    },
    {
      name: 'worker_replacements_total',
      type: 'counter',
      help: 'Total planned replacements of workers: reload, restart, recycling',
      samples: workers.map(({ name, replacements = 0 }) => ({
        labels: { app: ownerOf(name), worker: name },
        value: replacements,
      })),
    },
    {
      name: 'worker_deaths_total',
      type: 'counter',
      help: 'Total ends of workers that nobody requested, by reason',
      samples: workers.flatMap(({ name, deaths = {} }) =>
        Object.entries(deaths).map(([reason, value]) => ({
          labels: { app: ownerOf(name), worker: name, reason },
          value,
        })),
      ),
    },
  ]
}

/** Metrics of processes without a socket. */
export function processMetrics(processes: readonly Member[]): Metric[] {
  return [
    {
      name: 'processes',
      type: 'gauge',
      help: 'Processes without a socket by state',
      samples: countStates('process', ['running', ...slotStates, 'finished', 'failed'], processes),
    },
    {
      name: 'process_restarts_total',
      type: 'counter',
      help: 'Total process restarts',
      samples: processes.map(({ name, restarts }) => ({
        labels: { process: ownerOf(name), worker: name },
        value: restarts,
      })),
    },
    {
      name: 'process_crashes_total',
      type: 'counter',
      help: 'Total ends of processes that nobody requested',
      samples: processes.map(({ name, crashes }) => ({
        labels: { process: ownerOf(name), worker: name },
        value: crashes,
      })),
    },
    {
      name: 'process_health_check_failures_total',
      type: 'counter',
      help: 'Total failed health checks of processes that have any',
      samples: processes.flatMap(({ name, failedChecks }) =>
        failedChecks === undefined ? [] : [{ labels: { process: ownerOf(name), worker: name }, value: failedChecks }],
      ),
    },
  ]
}

/** Program that a process belongs to: `app` for `app.1`. */
function ownerOf(name: string): string {
  return name.replace(/\.\d+$/, '')
}

/** Samples for every state, including states without members, so that no time series disappears. */
function countStates(label: string, known: readonly string[], members: readonly Member[]): Metric['samples'] {
  const owners = [...new Set(members.map(({ name }) => ownerOf(name)))]
  return owners.flatMap(owner =>
    known.map(state => ({
      labels: { [label]: owner, state },
      value: members.filter(member => ownerOf(member.name) === owner && member.state === state).length,
    })),
  )
}
