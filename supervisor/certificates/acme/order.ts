import { type Clock, pause } from '../../base/clock.ts'
import type { AcmeAuthorization, AcmeClient, AcmeOrder, AcmeStore, ChallengeSolver, KeyMaker } from './authority.ts'
import { AcmeError, type AcmePlan, type AcmeSettings } from './plan.ts'

/** Most proofs and certificates are there within a second; from then on it is asked less and less often. */
const firstPollMs = 200
const slowestPollMs = 3000
/** However long the CA wants us to wait between two questions. */
const longestPauseMs = 10_000
const timeoutMs = 180_000

export interface OrderDeps {
  client: AcmeClient
  solver: ChallengeSolver
  keys: KeyMaker
  store: AcmeStore
  clock: Clock
  /** Ends an order that is under way; it can be taken up again. */
  signal: AbortSignal
}

export interface OrderRequest {
  plan: AcmePlan
  settings: Pick<AcmeSettings, 'keyType' | 'profile'>
  /** The certificate that this one is to replace (RFC 9773, 5). */
  replaces: string | undefined
  /** An order of an earlier run. */
  pendingOrder: string | undefined
  /** Called with an order that will be finalised, once its key is kept: after that it can be taken up again. */
  onOrder(url: string): void
}

/** Has a certificate issued: from the order to the chain and its key. Throws with what the authority says. */
export async function obtainCertificate(
  deps: OrderDeps,
  request: OrderRequest,
): Promise<{ chain: string; key: string }> {
  const { client, keys, store } = deps
  const { plan, settings } = request
  const pending = await resumeOrder(deps, request)
  const order = pending?.order ?? (await newOrder(client, request))
  const key = pending?.key ?? (await keys.createKey(settings.keyType))
  if (!pending) {
    store.savePendingKey(plan.name, key)
    request.onOrder(order.url)
  }
  const poll = (done: AcmeOrder['status'][]) =>
    waitFor(
      deps,
      () => client.order(order.url),
      ({ status }) => done.includes(status),
      `the order for ${plan.name}`,
    )

  if (order.status === 'pending') {
    for (const url of order.authorizations) await authorize(deps, url)
    await poll(['ready', 'valid'])
  }
  const proved = order.status === 'pending' ? await client.order(order.url) : order
  const finalized =
    proved.status === 'ready' ? await client.finalize(proved, keys.createRequest(key, plan.domains)) : proved
  const { certificate } = finalized.status === 'valid' ? finalized : await poll(['valid'])
  if (certificate === undefined)
    throw new AcmeError('the order is valid and names no certificate', { type: 'serverInternal' })
  return { chain: await client.certificate(certificate), key }
}

async function resumeOrder(
  { client, store }: OrderDeps,
  { plan, pendingOrder }: OrderRequest,
): Promise<{ order: AcmeOrder; key: string } | undefined> {
  const key = store.pendingKey(plan.name)
  if (pendingOrder === undefined || key === undefined) return undefined
  try {
    const order = await client.order(pendingOrder)
    return order.status === 'invalid' ? undefined : { order, key }
  } catch (error) {
    if (error instanceof AcmeError && error.type !== 'rateLimited') return undefined // expired, or of another account
    throw error
  }
}

async function newOrder(client: AcmeClient, { plan, settings, replaces }: OrderRequest): Promise<AcmeOrder> {
  const { profile } = settings
  try {
    return await client.newOrder(plan.domains, { profile, replaces })
  } catch (error) {
    // replaced already, or known to another account: RFC 9773 has the client ask without it
    const isRefused =
      error instanceof AcmeError && ['alreadyReplaced', 'malformed', 'unauthorized'].includes(error.type)
    if (replaces === undefined || !isRefused) throw error
    return client.newOrder(plan.domains, { profile, replaces: undefined })
  }
}

async function authorize(deps: OrderDeps, url: string): Promise<void> {
  const { client, solver } = deps
  const authorization = await client.authorization(url)
  if (authorization.status === 'valid') return
  const { domain } = authorization
  const challenge = authorization.challenges.find(({ type }) => type === solver.type)
  if (!challenge) {
    const offered = authorization.challenges.map(({ type }) => type).join(', ')
    throw new AcmeError(`the CA offers no ${solver.type} for ${domain}, only ${offered}`, {
      type: 'unsupportedChallenge',
    })
  }
  const proof = await client.keyAuthorization(challenge.token)
  try {
    await solver.present(domain, challenge.token, proof)
    await client.respond(challenge.url)
    await waitFor(
      deps,
      () => client.authorization(url),
      ({ status }) => status === 'valid',
      `the proof for ${domain}`,
    )
  } finally {
    await solver.remove(domain, challenge.token, proof)
  }
}

/** Asks until it is done, as often as the authority wants; throws when it has become invalid, or takes too long. */
async function waitFor<T extends AcmeOrder | AcmeAuthorization>(
  { clock, signal }: Pick<OrderDeps, 'clock' | 'signal'>,
  ask: () => Promise<T>,
  isDone: (found: T) => boolean,
  what: string,
): Promise<T> {
  const deadline = clock.monotonic() + timeoutMs
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, slowestPollMs)) {
    signal.throwIfAborted()
    const found = await ask()
    if (isDone(found)) return found
    if (!['pending', 'processing', 'ready'].includes(found.status))
      throw new AcmeError(`${what} is ${found.status}: ${problemOf(found) ?? 'the CA does not say why'}`, {
        type: 'invalid',
      })
    if (clock.monotonic() > deadline)
      throw new AcmeError(`${what} takes too long: it is ${found.status}`, { type: 'timeout' })
    await pause(clock, Math.min(Math.max(found.retryAfterMs ?? pollMs, firstPollMs), longestPauseMs), signal)
  }
}

function problemOf(found: AcmeOrder | AcmeAuthorization): string | undefined {
  if ('challenges' in found) return found.challenges.find(({ problem }) => problem !== undefined)?.problem
  return found.problem
}
