import { messageOf, OperatorError } from '../base/errors.ts'
import { formatProblems } from '../config/report.ts'
import type { Outcome } from '../domain/command.ts'
import type { RollResult } from '../services/worker-slot.ts'
import { loadCertificate, modelOf, type Parts } from './parts.ts'
import type { Settings } from './settings.ts'

/** Keys whose change takes a restart: they are bound or owned by what goes on running. */
const fixedKeys = ['http_port', 'https_port', 'bind_addresses', 'run_dir', 'log_format', 'log_level', 'health'] as const

/**
 * Reads everything anew, tests it, replaces the workers, then reloads nginx. Whatever fails leaves the running system as
 * it was.
 */
export async function reload(parts: Parts): Promise<Outcome> {
  const resolved = await parts.resolveAgain()
  const refusal = resolved.ok ? findFixed(parts.settings, resolved.settings) : formatProblems(resolved.problems)
  if (!resolved.ok || refusal) return abandoned(refusal ?? '')
  const { settings, certificate, pool, nginx } = parts
  const next = resolved.settings
  const previousPlan = pool?.plan()
  try {
    parts.certificate = await loadCertificate(next, parts.log, certificate)
    await nginx?.check(modelOf(parts, next, 'all'))
    if (pool && next.plan) expectRolled(await pool.roll(next.plan))
    parts.settings = next
    await nginx?.apply(modelOf(parts, next, 'ready'))
    return { ok: true, message: 'reload finished' }
  } catch (error) {
    const wasRolled = pool && previousPlan && pool.plan() !== previousPlan
    Object.assign(parts, { settings, certificate })
    if (wasRolled) await pool.roll(previousPlan)
    return abandoned(messageOf(error))
  }
}

function abandoned(reason: string): Outcome {
  return { ok: false, message: 'reload abandoned, what ran before goes on', reason }
}

function expectRolled(result: RollResult): void {
  if (result.ok) return
  throw new OperatorError([result.reason, ...result.lastLines].join('\n'), { fix: 'mend the app' })
}

function findFixed(now: Settings, next: Settings): string | undefined {
  const changed = fixedKeys.filter(key => JSON.stringify(next.config[key]) !== JSON.stringify(now.config[key]))
  if (changed.length > 0) return `${changed.join(', ')} cannot change without a restart`
  if ((next.config.https === 'off') !== (now.config.https === 'off'))
    return 'https cannot change between off and on without a restart'
  if ((next.plan === undefined) !== (now.plan === undefined))
    return 'an app cannot become a folder of files, nor the other way round, without a restart'
  return undefined
}
