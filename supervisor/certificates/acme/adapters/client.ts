import { createPrivateKey, type KeyObject } from 'node:crypto'
import { canonicalAddress } from '../../../base/address.ts'
import type { Log } from '../../../base/log.ts'
import type { AcmeAuthorization, AcmeChallenge, AcmeClient, AcmeOrder } from '../authority.ts'
import { AcmeError, type AcmeSettings } from '../plan.ts'
import { readRetryAfter } from '../renewal.ts'
import type { AccountStore } from './account.ts'
import { alternatesIn, chainEndsAt } from './chains.ts'
import { type AcmeHttpResponse, requestAcme } from './http.ts'
import { base64url, bindExternally, signJws, thumbprint } from './jws.ts'

/** Enough for an authority that rejects every second nonce. */
const nonceTries = 20
/** Nonces kept for the next requests; old ones expire. */
const spareNonces = 4
const errorPrefix = /^urn:ietf:params:acme:error:/

/** Options of the ACME client. */
export interface AcmeClientOptions {
  settings: Pick<AcmeSettings, 'directory' | 'email' | 'eab' | 'preferredChain'>
  log: Log
  /** PEM roots. */
  ca: string | undefined
  account: AccountStore
  now: () => number
  /** Called with the time of the authority, in milliseconds since the Unix epoch. */
  onTime: (time: number) => void
  /** Aborts every request. */
  signal: AbortSignal
}

interface Directory {
  newNonce: string
  newAccount: string
  newOrder: string
  renewalInfo?: string
  meta?: { externalAccountRequired?: boolean; profiles?: Record<string, string> }
}

/** Problems that can be due to the account, and not to the request. */
const accountProblems = new Set(['unauthorized', 'malformed', 'accountDoesNotExist', 'http401', 'http403'])

interface Problem {
  type?: string
  detail?: string
  subproblems?: Problem[]
}

/** Client of an ACME authority (RFC 8555, and RFC 9773 for renewal information). */
export function createAcmeClient({ settings, log, ca, account, now, onTime, signal }: AcmeClientOptions): AcmeClient {
  let directory: Promise<Directory> | undefined
  let nonces: string[] = []
  let loadedKey: Promise<KeyObject> | undefined
  let registering: Promise<string> | undefined

  const key = () => {
    loadedKey ??= account.key().then(createPrivateKey)
    loadedKey.catch(() => {
      loadedKey = undefined // retried on the next use
    })
    return loadedKey
  }

  function findDirectory(): Promise<Directory> {
    directory ??= requestAcme({ method: 'GET', url: settings.directory, ca, signal }).then(response => {
      const found = bodyOf(expectOk(response)) as Partial<Directory>
      if (found.newNonce && found.newAccount && found.newOrder) return found as Directory
      throw new AcmeError(`${settings.directory} is not an ACME directory`, { type: 'noDirectory' })
    })
    directory.catch(() => {
      directory = undefined // retried on the next use
    })
    return directory
  }

  function expectOk(response: AcmeHttpResponse): AcmeHttpResponse {
    if (response.status < 400) return response
    const problem = problemIn(response.text)
    throw new AcmeError(`the CA responded ${response.status}: ${describe(problem)}`, {
      type: problem.type?.replace(errorPrefix, '') ?? `http${response.status}`,
      retryAfterMs: readRetryAfter(response.headers['retry-after'], now()),
    })
  }

  async function nonce(): Promise<string> {
    const spare = nonces.pop()
    if (spare !== undefined) return spare
    const { newNonce } = await findDirectory()
    const { headers } = expectOk(await requestAcme({ method: 'HEAD', url: newNonce, ca, signal }))
    return String(headers['replay-nonce'])
  }

  /** Sends a signed request, again with a new nonce if the nonce was rejected. */
  async function post(url: string, payload: unknown, kid: string | undefined): Promise<AcmeHttpResponse> {
    for (let attempt = 1; ; attempt++) {
      const header = { url, nonce: await nonce(), ...(kid === undefined ? {} : { kid }) }
      const body = signJws(await key(), header, payload)
      const response = await requestAcme({ method: 'POST', url, body, ca, signal })
      const time = Date.parse(response.headers.date ?? '')
      if (!Number.isNaN(time)) onTime(time)
      const fresh = response.headers['replay-nonce']
      if (typeof fresh === 'string') nonces = [...nonces, fresh].slice(-spareNonces)
      const isRejected = response.status === 400 && problemIn(response.text).type?.endsWith(':badNonce')
      if (!isRejected || attempt === nonceTries) return expectOk(response)
    }
  }

  /** Registers the account of the key, or finds it. Rejects if the authority no longer accepts the key. */
  async function register(): Promise<string> {
    const { newAccount, meta } = await findDirectory()
    const { email, eab } = settings
    if (meta?.externalAccountRequired && !eab)
      throw new AcmeError('the CA requires an external account: set tls.acme.eab', {
        type: 'externalAccountRequired',
      })
    const payload = {
      termsOfServiceAgreed: true,
      ...(email === undefined ? {} : { contact: [`mailto:${email}`] }),
      ...(eab ? { externalAccountBinding: bindExternally(await key(), newAccount, eab) } : {}),
    }
    const response = await post(newAccount, payload, undefined)
    const { status } = problemIn(response.text) as { status?: unknown }
    if (status === 'deactivated' || status === 'revoked')
      throw new AcmeError(`the CA reports that the account is ${status}`, { type: 'accountDeactivated' })
    const url = String(response.headers.location)
    account.save({ url, email })
    return url
  }

  /** Registers the account, with another key if the authority no longer accepts the stored one. */
  async function registerAnyway(): Promise<string> {
    const wasRegistered = account.load().url !== undefined
    try {
      return await register()
    } catch (error) {
      if (!(error instanceof AcmeError)) throw error
      const isRefused = wasRegistered && ['unauthorized', 'http401', 'http403'].includes(error.type)
      if (!isRefused && error.type !== 'accountDeactivated') throw error
      account.retireKey(error.message)
      loadedKey = undefined
      return register()
    }
  }

  /** Runs one registration at a time; all requests that need it share the result. */
  function registerOnce(): Promise<string> {
    registering ??= registerAnyway().finally(() => {
      registering = undefined
    })
    return registering
  }

  async function accountUrl(): Promise<string> {
    await key() // a new key removes the stored account
    const { url, email } = account.load()
    if (url === undefined) return registerOnce()
    if (email === settings.email) return url
    const contact = settings.email === undefined ? [] : [`mailto:${settings.email}`]
    const current = await asAccount(url, kid => post(kid, { contact }, kid).then(() => kid))
    account.save({ url: current, email: settings.email })
    return current
  }

  /** Whether the authority still accepts the account. */
  async function isAccepted(kid: string): Promise<boolean> {
    try {
      const { status } = problemIn((await post(kid, '', kid)).text) as { status?: unknown }
      return status !== 'deactivated' && status !== 'revoked'
    } catch (error) {
      if (isAboutAccount(error)) return false
      throw error
    }
  }

  /** Sends something as the account. If the authority no longer accepts the account, registers again and repeats it. */
  async function asAccount<T>(kid: string, send: (kid: string) => Promise<T>): Promise<T> {
    try {
      return await send(kid)
    } catch (error) {
      if (!isAboutAccount(error)) throw error
      const { url } = account.load()
      // another request may have registered meanwhile
      if (url !== undefined && url !== kid) return send(url)
      if (error.type !== 'accountDoesNotExist' && (await isAccepted(kid))) throw error
      return send(await registerOnce())
    }
  }

  const ask = async (url: string, payload: unknown): Promise<AcmeHttpResponse> =>
    asAccount(await accountUrl(), kid => post(url, payload, kid))

  const retryAfter = ({ headers }: AcmeHttpResponse) => readRetryAfter(headers['retry-after'], now())

  function orderIn(response: AcmeHttpResponse, url: string): AcmeOrder {
    const { error, ...order } = bodyOf(response) as Omit<AcmeOrder, 'problem' | 'url'> & { error?: Problem }
    const problem = error && describe(error)
    return { ...order, url, problem, certificate: order.certificate, retryAfterMs: retryAfter(response) }
  }

  return {
    async newOrder(domains, { profile, replaces }) {
      const { newOrder, renewalInfo, meta } = await findDirectory()
      if (profile !== undefined && !(profile in (meta?.profiles ?? {}))) {
        const known = Object.keys(meta?.profiles ?? {}).join(', ') || 'none'
        throw new AcmeError(`the CA has no profile ${profile}; it has: ${known}`, { type: 'invalidProfile' })
      }
      const response = await ask(newOrder, {
        identifiers: domains.map(value => ({ type: canonicalAddress(value) === undefined ? 'dns' : 'ip', value })),
        ...(profile === undefined ? {} : { profile }),
        ...(replaces === undefined || renewalInfo === undefined ? {} : { replaces }),
      })
      return orderIn(response, String(response.headers.location))
    },
    order: async url => orderIn(await ask(url, ''), url),
    async authorization(url) {
      const response = await ask(url, '')
      const { status, identifier, challenges } = bodyOf(response) as Pick<AcmeAuthorization, 'status'> & {
        identifier: { value: string }
        challenges: (AcmeChallenge & { error?: Problem })[]
      }
      return {
        status,
        domain: identifier.value,
        challenges: challenges.map(({ error, ...rest }) => ({ ...rest, problem: error && describe(error) })),
        retryAfterMs: retryAfter(response),
      }
    },
    keyAuthorization: async token => `${token}.${thumbprint(await key())}`,
    async respond(challengeUrl) {
      await ask(challengeUrl, {})
    },
    finalize: async ({ finalize, url }, csr) => orderIn(await ask(finalize, { csr: base64url(csr) }), url),
    async certificate(url) {
      const first = await ask(url, '')
      const { preferredChain } = settings
      if (preferredChain === undefined || chainEndsAt(first.text, preferredChain)) return first.text
      for (const other of alternatesIn(first.headers.link)) {
        const { text } = await ask(new URL(other, url).href, '')
        if (chainEndsAt(text, preferredChain)) return text
      }
      log.warn('the CA offers no chain to tls.acme.preferred_chain, using its default chain', {
        preferred_chain: preferredChain,
      })
      return first.text
    },
    async renewalInfo(certificateId) {
      const { renewalInfo } = await findDirectory()
      if (renewalInfo === undefined) return undefined
      const response = expectOk(
        await requestAcme({ method: 'GET', url: `${renewalInfo.replace(/\/$/, '')}/${certificateId}`, ca, signal }),
      )
      const { suggestedWindow, explanationURL } = bodyOf(response) as {
        suggestedWindow?: { start?: string; end?: string }
        explanationURL?: string
      }
      const window = { start: Date.parse(suggestedWindow?.start ?? ''), end: Date.parse(suggestedWindow?.end ?? '') }
      if (Number.isNaN(window.start) || Number.isNaN(window.end)) return undefined
      return { window, retryAfterMs: retryAfter(response), explanation: explanationURL }
    },
  }
}

function isAboutAccount(error: unknown): error is AcmeError {
  return error instanceof AcmeError && accountProblems.has(error.type)
}

function bodyOf({ text }: AcmeHttpResponse): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new AcmeError('the response of the CA is not JSON', { type: 'noJson' })
  }
}

function problemIn(text: string): Problem {
  try {
    return JSON.parse(text) as Problem
  } catch {
    return { detail: text.slice(0, 200) }
  }
}

function describe({ type, detail, subproblems = [] }: Problem): string {
  const own = `${detail ?? 'no reason given'}${type === undefined ? '' : ` (${type.replace(errorPrefix, '')})`}`
  return [own, ...subproblems.map(describe)].join('; ')
}
