import { applyAll, type Change, revertAll } from '../base/change.ts'
import { messageOf, OperatorError, reasonOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import type { HookRunner } from '../programs/hook-runner.ts'
import type { RunningModel } from '../site/compose.ts'
import type { Settings } from '../site/settings.ts'
import type { Proposal, Run } from './run.ts'
import type { RunningNginx } from './running-nginx.ts'
import type { Subject } from './subject.ts'

/** Keys whose change takes a restart: they are bound or owned by what goes on running. */
const fixedKeys = [
  'http_port',
  'https_port',
  'bind_addresses',
  'proxy_protocol',
  'run_dir',
  'log_format',
  'log_level',
  'health',
  'dynamic_routes',
] as const

/** The next settings, or all that is wrong with them, as text. */
export type Resolved = { ok: true; settings: Settings } | { ok: false; reason: string }

export interface ReloadDeps {
  log: Log
  run: Run
  nginx: Pick<RunningNginx, 'check' | 'take' | 'follow'>
  hooks: Pick<HookRunner, 'run' | 'attempt'>
  /** Reads the configuration and looks at the machine again. */
  resolveAgain(): Promise<Resolved>
  /** Says what the next settings may be about, when they are in force. */
  report(next: Settings): void
}

/**
 * Reads everything again, has every subject prepare its next generation, tests all of it, replaces workers and processes,
 * and has nginx take it. Whatever fails before that leaves everything as it was: nothing was overwritten.
 */
export async function reload(deps: ReloadDeps): Promise<Outcome> {
  const { run, nginx, hooks } = deps
  const resolved = await deps.resolveAgain()
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
  if (!result.ok) throw new OperatorError([result.reason, ...result.lastLines].join('\n'), { fix: 'mend the app' })
  await nginx.take(proposal)
}

/** nginx may have been given the proposal, and is told what is in force still. */
async function rollBack({ log, nginx }: ReloadDeps, changes: Proposal['changes']): Promise<void> {
  try {
    await revertAll([...changes.values()])
  } catch (error) {
    log.error('cannot take back all of an abandoned reload', { error: messageOf(error) })
  }
  nginx
    .follow()
    .catch((error: unknown) => log.error('cannot tell nginx which workers there are', { error: messageOf(error) }))
}

function abandoned(reason: string): Outcome {
  return { ok: false, message: 'reload abandoned, what ran before goes on', reason }
}

function findFixed(run: Run, next: Settings): string | undefined {
  const now = run.settings()
  const changed = fixedKeys.filter(key => JSON.stringify(next.config[key]) !== JSON.stringify(now.config[key]))
  if (changed.length > 0) return `${changed.join(', ')} cannot change without a restart`
  if ((next.config.https === 'off') !== (now.config.https === 'off'))
    return 'https cannot change between off and on without a restart'
  return run
    .subjects()
    .map(subject => subject.fixed?.(next))
    .find(reason => reason !== undefined)
}
