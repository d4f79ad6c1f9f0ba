import { applyAll, type Change, revertAll } from '../base/change.ts'
import { messageOf, OperatorError, reasonOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import { stoppingReason } from '../base/stopping.ts'
import type { HookRunner } from '../programs/hook-runner.ts'
import type { RunningModel } from '../site/compose.ts'
import type { Settings } from '../site/settings.ts'
import type { Proposal, Run } from './run.ts'
import type { RunningNginx } from './running-nginx.ts'
import type { Subject } from './subject.ts'

/** Keys that only a restart can change: what they set is bound or owned by processes that keep running. */
export const fixedKeys = [
  'http_port',
  'https_port',
  'bind_addresses',
  'proxy_protocol',
  'run_dir',
  'log_format',
  'log_level',
  'logs',
  'health',
  'dynamic_routes',
  'shared_state',
] as const

/** Next settings, or all their problems as text. */
export type Resolved = { ok: true; settings: Settings } | { ok: false; reason: string }

/** Dependencies of a reload. */
export interface ReloadDeps {
  log: Log
  run: Run
  nginx: Pick<RunningNginx, 'check' | 'take' | 'follow'>
  hooks: Pick<HookRunner, 'run' | 'attempt'>
  /** Reads the configuration and inspects the machine again. Refuses to lose a source of `inForce`. */
  resolveAgain(inForce: Settings | undefined): Promise<Resolved>
  /** Logs warnings about the next settings before the reload finishes. */
  report(next: Settings): void
}

/**
 * Reads the configuration again, lets every subject prepare its next generation, tests all of it, replaces workers and processes,
 * and reloads nginx. If a step fails, everything stays as it was: nothing has been overwritten. `allowsMissing` permits that files of the
 * configuration are missing or cut off.
 */
export async function reload(deps: ReloadDeps, { allowsMissing = false } = {}): Promise<Outcome> {
  const { run, nginx, hooks } = deps
  const resolved = await deps.resolveAgain(allowsMissing ? undefined : run.settings())
  const refusal = resolved.ok ? findFixed(run, resolved.settings) : resolved.reason
  if (!resolved.ok || refusal) return abandoned(refusal ?? '')
  const { settings } = resolved
  const allowed = await hooks.run('before_reload', settings.hooks)
  if (!allowed.ok) return abandoned(`hook before_reload ${allowed.reason}`)
  const changes = new Map<Subject, Change<RunningModel>>()
  const proposal: Proposal = { settings, changes }
  try {
    for (const subject of run.subjects()) {
      const change = await subject.prepare?.(settings)
      if (change) changes.set(subject, change)
    }
    await nginx.check(proposal)
    await applyTo(nginx, proposal)
  } catch (error) {
    await rollBack(deps, changes)
    return abandoned(reasonOf(error))
  }
  deps.report(settings)
  await hooks.attempt('after_reload', settings.hooks)
  return { ok: true, message: 'reload finished' }
}

async function applyTo(nginx: ReloadDeps['nginx'], proposal: Proposal): Promise<void> {
  const result = await applyAll([...proposal.changes.values()])
  if (!result.ok) {
    if (result.reason === stoppingReason) throw new Error(stoppingReason)
    throw new OperatorError([result.reason, ...result.lastLines].join('\n'), { fix: 'fix the app' })
  }
  await nginx.take(proposal)
}

/** Reverts the changes, and sends nginx the settings still in force, because it may have received the proposal. */
async function rollBack({ log, nginx }: ReloadDeps, changes: Proposal['changes']): Promise<void> {
  try {
    await revertAll([...changes.values()])
  } catch (error) {
    log.error('cannot revert all changes of an abandoned reload', { error: messageOf(error) })
  }
  nginx.follow().catch((error: unknown) => log.error('cannot update the workers in nginx', { error: messageOf(error) }))
}

function abandoned(reason: string): Outcome {
  return { ok: false, message: 'reload abandoned, nothing has changed', reason }
}

function findFixed(run: Run, next: Settings): string | undefined {
  const now = run.settings()
  const changed = fixedKeys.filter(key => textOf(next, key) !== textOf(now, key))
  if (changed.length > 0) return `${changed.join(', ')} cannot change without a restart`
  if ((next.config.https === 'off') !== (now.config.https === 'off'))
    return 'https cannot change between off and on without a restart'
  return run
    .subjects()
    .map(subject => subject.fixed?.(next))
    .find(reason => reason !== undefined)
}

/** Value of a key, without the part that a reload can change. */
function textOf({ config }: Settings, key: (typeof fixedKeys)[number]): string | undefined {
  return JSON.stringify(key === 'dynamic_routes' && config[key] ? { ...config[key], allow: undefined } : config[key])
}
