import { OperatorError, reasonOf } from '../base/errors.ts'
import { formatProblems } from '../config/report.ts'
import type { Outcome } from '../domain/command.ts'
import { applyAll, revertAll } from '../services/changes.ts'
import type { RollResult } from '../services/roll-result.ts'
import { acmeSettingsOf } from './acme-settings.ts'
import { switchAcme } from './acme-switch.ts'
import { autoscale } from './autoscaling.ts'
import { needsBusyTime } from './busy-time.ts'
import { loadCertificates, reportCertificates } from './certificates.ts'
import { warnOfFallbacks } from './fallbacks.ts'
import { lookAtFolders } from './folders.ts'
import { modelOf, type Parts } from './parts.ts'
import { changeOf, retireRemoved } from './pools.ts'
import { planRestarts } from './schedules.ts'
import type { Settings } from './settings.ts'
import { openUpstreams } from './upstreams.ts'

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

/**
 * Reads everything anew, tests it, replaces the workers, app by app, and the processes, starts what is new, reloads nginx,
 * then stops what is gone. Whatever fails leaves the running system as it was.
 */
export async function reload(parts: Parts): Promise<Outcome> {
  const resolved = await parts.resolveAgain()
  const refusal = resolved.ok ? findFixed(parts.settings, resolved.settings) : formatProblems(resolved.problems)
  if (!resolved.ok || refusal) return abandoned(refusal ?? '')
  const { settings, certificates, folders, nginx, hooks } = parts
  const formerUpstreams = parts.upstreams
  const formerHsts = parts.hsts
  let upstreams: Parts['upstreams']
  const next = resolved.settings
  const allowed = await hooks?.run('before_reload', next.hooks)
  if (allowed?.ok === false) return abandoned(`hook before_reload ${allowed.reason}`)
  const programs = next.processes.length + parts.processes.size > 0 ? await import('./processes.ts') : undefined
  const changes = [
    ...next.apps.flatMap(({ plan }) => (plan ? changeOf(parts, plan) : [])),
    // last, since they stop before their successors start
    ...next.processes.flatMap(plan => programs?.processChange(parts, plan) ?? []),
  ]
  let isApplied = false
  try {
    parts.certificates = await loadCertificates(next, parts.log, certificates)
    if (parts.certificates) reportCertificates(parts.certificates, next.config, parts.log)
    warnOfFallbacks(next.config, parts.log)
    parts.hsts = await switchHsts(parts, next)
    parts.folders = await lookAtFolders(next, parts.world)
    upstreams = await openUpstreams(parts, next)
    await nginx?.check(modelOf(parts, next, 'all', upstreams))
    expectRolled(await applyAll(changes))
    isApplied = true
    Object.assign(parts, { settings: next, upstreams })
    await nginx?.apply(modelOf(parts, next, 'ready'))
    autoscale(parts)
  } catch (error) {
    Object.assign(parts, { settings, certificates, folders, upstreams: formerUpstreams, hsts: formerHsts })
    upstreams?.stop()
    if (isApplied) await revertAll(changes)
    return abandoned(reasonOf(error))
  }
  formerUpstreams?.stop()
  await retireRemoved(parts)
  await programs?.removeProcesses(parts)
  await planRestarts(parts)
  if (acmeKey(settings) !== acmeKey(next)) await switchAcme(parts)
  await parts.dynamicRoutes?.report()
  await hooks?.attempt('after_reload', next.hooks)
  return { ok: true, message: 'reload finished' }
}

/** The one that runs, unless something else is asked of it. */
async function switchHsts(parts: Parts, next: Settings): Promise<Parts['hsts']> {
  if (hstsKey(parts.settings) === hstsKey(next)) return parts.hsts
  return (await import('./hsts.ts')).openHsts(next, parts.certificates, parts.log)
}

function hstsKey({ config }: Settings): string {
  return JSON.stringify([config.tls.hsts, config.tls.on_demand, config.trusted_proxies.length > 0, config.state_dir])
}

/** Everything that ACME was started with. */
function acmeKey({ config }: Settings): string {
  return JSON.stringify([acmeSettingsOf(config), config.tls.on_demand, config.state_dir])
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
  if (next.config.dynamic_routes && next.config.state_dir !== now.config.state_dir)
    return 'state_dir cannot change without a restart where dynamic_routes are kept in it'
  if (needsBusyTime(next) && !needsBusyTime(now))
    return 'workers cannot change to {min, max} without a restart for an app that is no Node program'
  return undefined
}
