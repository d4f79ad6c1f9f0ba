import { type Clock, pause } from '../base/clock.ts'
import { formatDuration } from '../base/duration.ts'
import { OperatorError } from '../base/errors.ts'
import type { Outcome } from '../base/outcome.ts'
import { type DynamicRoute, formatRoute, readRoute, routeValue } from './route.ts'
import { withSettingsOf, withShare } from './route-share.ts'
import { formatTarget } from './target.ts'

/** Address of a server. */
export interface Server {
  address: string
  port: number
}

/** Order to lead the requests for a host elsewhere. */
export interface SwitchPlan {
  host: string
  /** Value of the next route, as `readRoute` reads it. */
  target: string
  /** Whether each new server must pass its check before it gets requests. */
  isChecked: boolean
  /** Time in which it has to. */
  timeoutMs: number
  /** Time for the requests that the former servers still process. */
  drainMs: number
  /** Part of the requests; undefined: all. `isSticky`: visitors stay where they were sent first. */
  share: { percent: number; isSticky: boolean } | undefined
}

/** Dependencies of a switch. */
export interface SwitchDeps {
  clock: Clock
  /** The route that is stored for exactly this host. */
  read(): Promise<DynamicRoute | undefined>
  /** Settles when nginx uses the route. */
  set(value: string): Promise<Outcome>
  /** Reason why a server is not ready within a time in ms; undefined if it is. */
  failureOf(server: Server, withinMs: number): Promise<string | undefined>
  /** Requests and WebSockets that these servers, such as `10.0.0.2:5000`, still process. */
  inFlight(servers: readonly string[]): Promise<number>
  /** Shows an operator what happens. */
  report(text: string): void
}

const pollMs = 500
const watchMs = 1000
/** Time for one check, and for one at the end of a time limit. */
const checkMs = 2000
const lastCheckMs = 100
/** Checks that a server has to pass in a row, and may fail. */
const passes = 2
const fails = 3

/**
 * Switches to other servers when they are ready, and waits for the former ones. If they are not ready in time, nothing changes. If they fail while
 * the former ones drain, requests go back.
 */
export async function switchRoute(plan: SwitchPlan, deps: SwitchDeps): Promise<Outcome> {
  const { host } = plan
  const wanted = expectRoute(plan)
  const servers = serversOf(wanted)
  if (plan.isChecked && servers.length === 0)
    throw new OperatorError('there is no address to check: apps and upstreams have checks of their own', {
      fix: 'remove --check, or name an address such as 10.0.0.2:5000',
    })
  // reports what is wrong before anything waits
  combine(plan, await deps.read(), wanted)
  const failure = plan.isChecked ? await waitUntilReady(servers, plan, deps) : undefined
  if (failure) return { ok: false, message: `${host} leads where it did before`, reason: failure }

  // others may have changed the route meanwhile, such as its passwords
  const present = await deps.read()
  const next = combine(plan, present, wanted)
  const outcome = await deps.set(textOf(next))
  if (!outcome.ok) return takeBack({ ...outcome, message: `cannot switch ${host}` }, { present, next }, deps)
  const left = namesOf(present).filter(name => !namesOf(next).includes(name))
  if (plan.drainMs === 0 || left.length === 0) return outcome
  deps.report(outcome.message)
  const drained = await drain(left, { plan, servers }, deps)
  if ('failure' in drained)
    return takeBack({ ok: false, message: `${host} was switched`, reason: drained.failure }, { present, next }, deps)
  const { open } = drained
  const rest =
    open === 0
      ? 'without requests'
      : `with ${open} ${open === 1 ? 'request' : 'requests'} after ${formatDuration(plan.drainMs)}`
  return { ok: true, message: `${outcome.message}; ${left.join(', ')} is ${rest}` }
}

function expectRoute({ target }: SwitchPlan): DynamicRoute {
  const reading = readRoute(target)
  if (reading.ok) return reading.value
  // an object may contain passwords
  const shown = target.includes('{') ? '' : ` ${JSON.stringify(target)}`
  throw new OperatorError(`target${shown} ${reading.problem}`, { fix: reading.fix })
}

function combine({ host, share }: SwitchPlan, present: DynamicRoute | undefined, wanted: DynamicRoute): DynamicRoute {
  const next = withSettingsOf(present, wanted)
  if (!share) return next
  const names = namesOf(wanted)
  if (present?.targets.some(({ target }) => !names.includes(formatTarget(target))))
    return withShare(present, next, share)
  throw new OperatorError(`${host} has no other target for the rest of the requests`, { fix: 'remove --weight' })
}

/** Waits until all servers are ready; the reason if one is not in time. The last check is at the end of the time. */
async function waitUntilReady(
  servers: readonly Server[],
  { timeoutMs }: SwitchPlan,
  deps: SwitchDeps,
): Promise<string | undefined> {
  const { clock } = deps
  const leftMs = timeLeft(clock, timeoutMs)
  async function wait(server: Server): Promise<string | undefined> {
    let last: string | undefined
    for (let passed = 0; passed < passes; ) {
      const withinMs = checkTime(leftMs())
      const failure = await deps.failureOf(server, withinMs)
      passed = failure === undefined ? passed + 1 : 0
      // a short check may fail for its shortness
      const isReason = failure !== undefined && (last === undefined || withinMs > lastCheckMs)
      if (isReason && failure !== last) deps.report(`${nameOf(server)} is not ready yet: ${failure}`)
      if (isReason) last = failure
      if (passed === passes) break
      if (leftMs() <= 0)
        return `${nameOf(server)} is not ready after ${formatDuration(timeoutMs)}: ${last ?? 'it passed only one check'}`
      await pause(clock, Math.min(pollMs, leftMs()))
    }
    return undefined
  }
  return (await Promise.all(servers.map(wait))).find(failure => failure !== undefined)
}

/** Time until a limit that begins now, in ms. */
function timeLeft(clock: Clock, limitMs: number): () => number {
  const end = clock.monotonic() + limitMs
  return () => end - clock.monotonic()
}

function checkTime(leftMs: number): number {
  return Math.max(lastCheckMs, Math.min(checkMs, leftMs))
}

/** Waits for the requests to former servers, and watches the new ones. */
async function drain(
  left: readonly string[],
  { plan, servers }: { plan: SwitchPlan; servers: readonly Server[] },
  deps: SwitchDeps,
): Promise<{ open: number } | { failure: string }> {
  const { clock } = deps
  const leftMs = timeLeft(clock, plan.drainMs)
  const failed = new Map<Server, number>()
  let watched = clock.monotonic()
  let idle = 0
  let shown = -1
  for (;;) {
    const open = await deps.inFlight(left)
    // nginx workers tell each other several times a second
    idle = open === 0 ? idle + 1 : 0
    if (idle === 2) return { open }
    if (open !== shown && open > 0)
      deps.report(`${left.join(', ')} still has ${open} ${open === 1 ? 'request' : 'requests'}`)
    shown = open
    if (plan.isChecked && clock.monotonic() - watched >= watchMs) {
      watched = clock.monotonic()
      const failure = await watch(servers, { failed, withinMs: checkTime(leftMs()) }, deps)
      if (failure) return { failure }
    }
    if (leftMs() <= 0) return { open }
    await pause(clock, Math.min(pollMs, leftMs()))
  }
}

/** Reason why a new server has to be left again. */
async function watch(
  servers: readonly Server[],
  { failed, withinMs }: { failed: Map<Server, number>; withinMs: number },
  deps: SwitchDeps,
): Promise<string | undefined> {
  const failures = await Promise.all(servers.map(server => deps.failureOf(server, withinMs)))
  for (const [index, server] of servers.entries()) {
    const failure = failures[index]
    failed.set(server, failure === undefined ? 0 : (failed.get(server) ?? 0) + 1)
    if (failure !== undefined && failed.get(server) === fails) return `${nameOf(server)} has failed: ${failure}`
  }
  return undefined
}

/** Leads requests where they went before, unless someone else has changed the route meanwhile. */
async function takeBack(
  failure: Extract<Outcome, { ok: false }>,
  { present, next }: { present: DynamicRoute | undefined; next: DynamicRoute },
  deps: SwitchDeps,
): Promise<Outcome> {
  const now = await deps.read()
  if (!present || !now || textOf(now) !== textOf(next)) return failure
  const back = await deps.set(textOf(present))
  const message = back.ok
    ? `${failure.message}, and back to ${formatRoute(present)}`
    : `${failure.message}, and cannot go back to ${formatRoute(present)} (${back.reason})`
  return { ...failure, message }
}

function textOf(route: DynamicRoute): string {
  const value = routeValue(route)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function serversOf({ targets }: DynamicRoute): Server[] {
  return targets.flatMap(({ target }) => (target.kind === 'address' ? target : []))
}

function namesOf(route: DynamicRoute | undefined): string[] {
  return (route?.targets ?? []).flatMap(({ target }) => (target.kind === 'address' ? formatTarget(target) : []))
}

function nameOf({ address, port }: Server): string {
  return formatTarget({ kind: 'address', address, port })
}
