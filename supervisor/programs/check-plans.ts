import { resolve } from 'node:path'
import type { Complain } from '../config/report.ts'
import { checkProgram, type ProgramContext } from '../processes/adapters/program-context.ts'
import type { Check, HealthPlan, ReadinessPlan } from './check.ts'
import type { HealthConfig, ReadyConfig } from './check-keys.ts'

/** Process whose checks are planned. */
export interface CheckSources {
  directory: string
  /** Undefined if no program is searched for. */
  context: ProgramContext | undefined
  complain: Complain
}

/** Plans for the keys `ready` and `health` of a process. `key` is that of the process. */
export function checkPlans(
  key: string,
  { ready, health }: { ready?: ReadyConfig | undefined; health?: HealthConfig | undefined },
  sources: CheckSources,
): { ready: ReadinessPlan | undefined; health: HealthPlan | undefined } {
  const readyCheck = ready && (checkOf(`${key}.ready`, ready, sources) ?? lineOf(ready))
  const healthCheck = health && checkOf(`${key}.health`, health, sources)
  return {
    ready: readyCheck && { check: readyCheck, timeoutMs: ready.timeout },
    health: healthCheck && {
      check: healthCheck,
      intervalMs: health.interval,
      timeoutMs: health.timeout,
      failures: health.failures,
      startPeriodMs: health.start_period,
    },
  }
}

function lineOf({ line }: ReadyConfig): ReadinessPlan['check'] | undefined {
  return line === undefined ? undefined : { kind: 'line', text: line }
}

function checkOf(
  key: string,
  { tcp, unix, http, exec }: Pick<ReadyConfig, 'tcp' | 'unix' | 'http' | 'exec'>,
  { directory, context, complain }: CheckSources,
): Check | undefined {
  if (typeof tcp === 'number') return { kind: 'tcp', host: '127.0.0.1', port: tcp }
  if (tcp !== undefined) {
    const colon = tcp.lastIndexOf(':')
    const host = tcp.slice(0, colon).replace(/^\[|\]$/g, '')
    return { kind: 'tcp', host, port: Number(tcp.slice(colon + 1)) }
  }
  if (unix !== undefined) return { kind: 'unix', path: resolve(directory, unix) }
  if (http !== undefined) return { kind: 'http', url: http }
  if (exec === undefined) return undefined
  if (context) checkProgram(`${key}.exec`, exec, { context, complain })
  return { kind: 'exec', argv: exec }
}
