import { type Clock, pause } from '../../base/clock.ts'
import type { AcmeAuthorization, AcmeClient, AcmeOrder, AcmeStore, ChallengeSolver, KeyMaker } from './authority.ts'
import { AcmeError, type AcmePlan, type AcmeSettings } from './plan.ts'

/** Most validations and certificates take less than a second; after that, polling slows down. */
const firstPollMs = 200
const maxPollMs = 3000
/** Longest pause between two polls, whatever the CA asks for. */
const maxPauseMs = 10_000
const timeoutMs = 180_000

/** Dependencies of an order. */
export interface OrderDeps {
  client: AcmeClient
  solver: ChallengeSolver
  keys: KeyMaker
  store: AcmeStore
  clock: Clock
  /** Aborts an order in progress; it can be resumed later. */
  signal: AbortSignal
}

/** Certificate to order. */
export interface OrderRequest {
  plan: AcmePlan
  settings: Pick<AcmeSettings, 'keyType' | 'profile'>
  /** Identifier of the certificate to replace (RFC 9773, 5). */
  replaces: string | undefined
  /** URL of an unfinished order. */
  pendingOrder: string | undefined
  /** Called with the URL of a new order once its key is stored: from then on it can be resumed. */
  onOrder(url: string): void
}

/** Obtains a certificate, from the order to the chain and its key. Rejects with the problem that the authority reports. */
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
  const validated = order.status === 'pending' ? await client.order(order.url) : order
  const finalized =
    validated.status === 'ready' ? await client.finalize(validated, keys.createRequest(key, plan.domains)) : validated
  const { certificate } = finalized.status === 'valid' ? finalized : await poll(['valid'])
  if (certificate === undefined)
    throw new AcmeError('the order is valid but has no certificate', { type: 'serverInternal' })
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
    if (error instanceof AcmeError && error.type !== 'rateLimited') return undefined // expired, or it belongs to another account
    throw error
  }
}

async function newOrder(client: AcmeClient, { plan, settings, replaces }: OrderRequest): Promise<AcmeOrder> {
  const { profile } = settings
  try {
    return await client.newOrder(plan.domains, { profile, replaces })
  } catch (error) {
    // already replaced, or of another account: RFC 9773 lets the client order without `replaces`
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
    throw new AcmeError(`the CA does not offer ${solver.type} for ${domain}, only ${offered}`, {
      type: 'unsupportedChallenge',
    })
  }
  const keyAuthorization = await client.keyAuthorization(challenge.token)
  try {
    await solver.present(domain, challenge.token, keyAuthorization)
    await client.respond(challenge.url)
    await waitFor(
      deps,
      () => client.authorization(url),
      ({ status }) => status === 'valid',
      `the validation of ${domain}`,
    )
  } finally {
    await solver.remove(domain, challenge.token, keyAuthorization)
  }
}

/** Polls until done, at the pace that the authority asks for. Rejects if it becomes invalid or takes too long. */
async function waitFor<T extends AcmeOrder | AcmeAuthorization>(
  { clock, signal }: Pick<OrderDeps, 'clock' | 'signal'>,
  ask: () => Promise<T>,
  isDone: (found: T) => boolean,
  what: string,
): Promise<T> {
  const deadline = clock.monotonic() + timeoutMs
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, maxPollMs)) {
    signal.throwIfAborted()
    const found = await ask()
    if (isDone(found)) return found
    if (!['pending', 'processing', 'ready'].includes(found.status))
      throw new AcmeError(`${what} is ${found.status}: ${problemOf(found) ?? 'the CA gave no reason'}`, {
        type: 'invalid',
      })
    if (clock.monotonic() > deadline)
      throw new AcmeError(`${what} takes too long: it is still ${found.status}`, { type: 'timeout' })
    await pause(clock, Math.min(Math.max(found.retryAfterMs ?? pollMs, firstPollMs), maxPauseMs), signal)
  }
}

function problemOf(found: AcmeOrder | AcmeAuthorization): string | undefined {
  if ('challenges' in found) return found.challenges.find(({ problem }) => problem !== undefined)?.problem
  return found.problem
}
