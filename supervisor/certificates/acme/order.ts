import { type Clock, pause } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { AcmeAuthorization, AcmeClient, AcmeOrder, AcmeStore, ChallengeSolver, KeyMaker } from './authority.ts'
import { AcmeError, type AcmePlan, type AcmeRecord, type AcmeSettings, type PublishedChallenge } from './plan.ts'

/** Most validations and certificates take less than a second. */
const minPauseMs = 200
/** Longest pause between two polls, whatever the CA asks for. */
const maxPauseMs = 10_000
/** Part of the time since the first poll that the next pause takes: polling slows down. */
const pausePart = 0.25
const timeoutMs = 180_000
/** Number of attempts to finalize an order that one server of the CA shows as ready and another does not. */
const finalizeTries = 5

/** Dependencies of an order. */
export interface OrderDeps {
  client: AcmeClient
  solver: ChallengeSolver
  keys: KeyMaker
  store: AcmeStore
  clock: Clock
  log: Log
  /** Aborts an order in progress; it can be resumed later. */
  signal: AbortSignal
}

/** Certificate to order. */
export interface OrderRequest {
  plan: AcmePlan
  settings: Pick<AcmeSettings, 'keyType' | 'profile'>
  /** Identifier of the certificate to replace (RFC 9773, 5). */
  replaces: string | undefined
  /** Order and challenge of an unfinished attempt. */
  unfinished: Progress
  /** Whether only to resume that order: none is placed. */
  isResumeOnly: boolean
  /**
   * Stores progress from which a later attempt can resume, here or on another instance. The key of an order is stored before its URL. Rejects if this
   * instance may not go on.
   */
  onProgress(change: Partial<Progress>): void | Promise<void>
}

/** Part of a record that an order in progress changes. */
export type Progress = Pick<AcmeRecord, 'pendingOrder' | 'orderedAt' | 'published'>

/** Obtains a certificate, from the order to the chain and its key. Rejects with the problem that the authority reports. */
export async function obtainCertificate(
  deps: OrderDeps,
  request: OrderRequest,
): Promise<{ chain: string; key: string }> {
  const { client, keys } = deps
  const { plan, unfinished, onProgress } = request
  if (unfinished.published) await withdraw(deps, unfinished.published, onProgress)
  const { order, key } = (await resumeOrder(deps, request)) ?? (await placeOrder(deps, request))
  const poll = (done: AcmeOrder['status'][]) =>
    waitFor(
      deps,
      () => client.order(order.url),
      ({ status }) => done.includes(status),
      `the order for ${plan.name}`,
    )
  try {
    let now = order
    if (now.status === 'pending') {
      for (const url of now.authorizations) await authorize(deps, url, onProgress)
      now = await poll(['ready', 'processing', 'valid'])
    }
    for (let attempt = 1; now.status === 'ready'; attempt++) {
      try {
        now = await client.finalize(now, keys.createRequest(key, plan.domains))
      } catch (error) {
        const isNotReady = error instanceof AcmeError && error.type === 'orderNotReady'
        if (!isNotReady || attempt === finalizeTries) throw error
        await pause(deps.clock, minPauseMs * 2 ** attempt, deps.signal)
        now = await poll(['ready', 'processing', 'valid'])
      }
    }
    const { certificate } = now.status === 'valid' ? now : await poll(['valid'])
    if (certificate === undefined)
      throw new AcmeError('the order is valid but has no certificate', { type: 'serverInternal' })
    return { chain: await client.certificate(certificate), key }
  } catch (error) {
    if (error instanceof AcmeError && error.type === 'invalid') onProgress({ pendingOrder: undefined })
    throw error
  }
}

interface OpenOrder {
  order: AcmeOrder
  key: string
}

/** Undefined if there is no order to resume, or it failed or expired. */
async function resumeOrder(
  { client, store }: OrderDeps,
  { plan, unfinished: { pendingOrder }, onProgress }: OrderRequest,
): Promise<OpenOrder | undefined> {
  const key = store.pendingKey(plan.name)
  if (pendingOrder === undefined || key === undefined) return undefined
  try {
    const order = await client.order(pendingOrder)
    if (order.status !== 'invalid') return { order, key }
  } catch (error) {
    // expired, or of another account
    if (!(error instanceof AcmeError) || error.isTemporary) throw error
  }
  await onProgress({ pendingOrder: undefined })
  return undefined
}

async function placeOrder({ client, keys, store, clock }: OrderDeps, request: OrderRequest): Promise<OpenOrder> {
  const { plan, settings, isResumeOnly, onProgress } = request
  if (isResumeOnly) throw new AcmeError('the order in progress is no longer known to the CA', { type: 'noOrder' })
  const key = await keys.createKey(settings.keyType)
  store.savePendingKey(plan.name, key)
  await onProgress({ pendingOrder: undefined })
  const order = await newOrder(client, request)
  await onProgress({ pendingOrder: order.url, orderedAt: clock.now() })
  return { order, key }
}

async function newOrder(client: AcmeClient, { plan, settings, replaces }: OrderRequest): Promise<AcmeOrder> {
  const { profile } = settings
  try {
    return await client.newOrder(plan.domains, { profile, replaces })
  } catch (error) {
    // already replaced, of another account, or rejected for another reason: RFC 9773 lets the client order without `replaces`.
    // CAs differ in the type of error, and an order without it is never wrong
    const isRefused = error instanceof AcmeError && error.type !== 'rateLimited' && error.retryAfterMs === undefined
    if (replaces === undefined || !isRefused) throw error
    return client.newOrder(plan.domains, { profile, replaces: undefined })
  }
}

async function authorize(deps: OrderDeps, url: string, onProgress: OrderRequest['onProgress']): Promise<void> {
  const { client, solver } = deps
  const authorization = await client.authorization(url)
  if (authorization.status === 'valid') return
  const { domain } = authorization
  if (authorization.status !== 'pending')
    throw new AcmeError(`the authorization of ${domain} is ${authorization.status}`, { type: 'invalid' })
  const challenge = authorization.challenges.find(({ type }) => type === solver.type)
  if (!challenge) {
    const offered = authorization.challenges.map(({ type }) => type).join(', ')
    throw new AcmeError(`the CA does not offer ${solver.type} for ${domain}, only ${offered}`, {
      type: 'unsupportedChallenge',
    })
  }
  const { token } = challenge
  const published = { type: solver.type, domain, token, keyAuthorization: await client.keyAuthorization(token) }
  await onProgress({ published })
  try {
    await solver.present(domain, token, published.keyAuthorization)
    // an earlier run may have requested the validation
    if (challenge.status === 'pending') await client.respond(challenge.url)
    await waitFor(
      deps,
      () => client.authorization(url),
      ({ status }) => status === 'valid',
      `the validation of ${domain}`,
    )
  } finally {
    await withdraw(deps, published, onProgress)
  }
}

/** Removes a published challenge, even one that was published only in part. A failure is logged, and tried again by the next attempt. */
async function withdraw(
  { solver, log }: OrderDeps,
  { type, domain, token, keyAuthorization }: PublishedChallenge,
  onProgress: OrderRequest['onProgress'],
): Promise<void> {
  try {
    if (type === solver.type) await solver.remove(domain, token, keyAuthorization)
  } catch (error) {
    return log.warn('cannot remove a challenge', { domain, reason: messageOf(error) })
  }
  await onProgress({ published: undefined })
}

/** Polls until done, at the pace that the authority asks for. Rejects if it becomes invalid or takes too long. */
async function waitFor<T extends AcmeOrder | AcmeAuthorization>(
  { clock, signal }: Pick<OrderDeps, 'clock' | 'signal'>,
  ask: () => Promise<T>,
  isDone: (found: T) => boolean,
  what: string,
): Promise<T> {
  const start = clock.monotonic()
  for (;;) {
    signal.throwIfAborted()
    const found = await ask()
    if (isDone(found)) return found
    if (!['pending', 'processing', 'ready'].includes(found.status))
      throw new AcmeError(`${what} is ${found.status}: ${problemOf(found) ?? 'the CA gave no reason'}`, {
        type: 'invalid',
      })
    const takenMs = clock.monotonic() - start
    if (takenMs > timeoutMs)
      throw new AcmeError(`${what} takes too long: it is still ${found.status}`, { type: 'timeout' })
    const pauseMs = found.retryAfterMs ?? takenMs * pausePart
    await pause(clock, Math.min(Math.max(pauseMs, minPauseMs), maxPauseMs), signal)
  }
}

function problemOf(found: AcmeOrder | AcmeAuthorization): string | undefined {
  if ('challenges' in found) return found.challenges.find(({ problem }) => problem !== undefined)?.problem
  return found.problem
}
