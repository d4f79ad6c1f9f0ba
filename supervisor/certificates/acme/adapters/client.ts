import { createPrivateKey, type KeyObject } from 'node:crypto'
import { canonicalAddress } from '../../../base/address.ts'
import type { Log } from '../../../base/log.ts'
import type { AcmeClient } from '../authority.ts'
import { AcmeError, type AcmeSettings } from '../plan.ts'
import type { AccountStore } from './account.ts'
import { alternatesIn, chainEndsAt } from './chains.ts'
import { type AcmeHttpResponse, requestAcme } from './http.ts'
import { base64url, bindExternally, signJws, thumbprint } from './jws.ts'
import { authorizationIn, bodyOf, locationIn, orderIn, problemIn, renewalInfoIn, succeeded } from './responses.ts'

/** Enough for an authority that rejects every second nonce. */
const nonceTries = 20
/** Nonces kept for the next requests; old ones expire. */
const spareNonces = 4

/** Options of the ACME client. */
export interface AcmeClientOptions {
  settings: Pick<AcmeSettings, 'directory' | 'email' | 'eab'> & Partial<Pick<AcmeSettings, 'preferredChain'>>
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

/** Client of an ACME authority (RFC 8555, and RFC 9773 for renewal information). */
export function createAcmeClient({ settings, log, ca, account, now, onTime, signal }: AcmeClientOptions): AcmeClient {
  let directory: Promise<Directory> | undefined
  let nonces: string[] = []
  let aheadMs: number | undefined
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

  const expectOk = (response: AcmeHttpResponse) => succeeded(response, now())

  async function nonce(): Promise<string> {
    const spare = nonces.pop()
    if (spare !== undefined) return spare
    const { newNonce } = await findDirectory()
    // some authorities and proxies answer only one of the two methods
    const { headers } = await requestAcme({ method: 'HEAD', url: newNonce, ca, signal })
    const found =
      headers['replay-nonce'] ??
      expectOk(await requestAcme({ method: 'GET', url: newNonce, ca, signal })).headers['replay-nonce']
    if (typeof found === 'string' && found !== '') return found
    throw new AcmeError(`the CA sent no nonce from ${newNonce}`, { type: 'noNonce' })
  }

  /** Sends a signed request, again with a new nonce if the nonce was rejected. */
  async function post(url: string, payload: unknown, kid: string | undefined): Promise<AcmeHttpResponse> {
    for (let attempt = 1; ; attempt++) {
      const header = { url, nonce: await nonce(), ...(kid === undefined ? {} : { kid }) }
      const body = signJws(await key(), header, payload)
      const response = await requestAcme({ method: 'POST', url, body, ca, signal })
      const time = Date.parse(response.headers.date ?? '')
      if (!Number.isNaN(time)) {
        onTime(time)
        aheadMs = time - now()
      }
      const fresh = response.headers['replay-nonce']
      // without a new one, the error may be about the nonce, and the others are as old
      if (response.status >= 400 && fresh === undefined) nonces = []
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
      throw new AcmeError(
        'the CA requires an external account: set tls.acme.eab, or tls.acme.fallback.eab if it is the fallback',
        {
          type: 'externalAccountRequired',
        },
      )
    const payload = {
      termsOfServiceAgreed: true,
      ...(email === undefined ? {} : { contact: [`mailto:${email}`] }),
      ...(eab ? { externalAccountBinding: bindExternally(await key(), newAccount, eab) } : {}),
    }
    const response = await post(newAccount, payload, undefined)
    const { status } = problemIn(response.text) as { status?: unknown }
    if (status === 'deactivated' || status === 'revoked')
      throw new AcmeError(`the CA reports that the account is ${status}`, { type: 'accountDeactivated' })
    const url = locationIn(response, newAccount)
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
      return orderIn(response, { url: locationIn(response, newOrder), now: now() })
    },
    order: async url => orderIn(await ask(url, ''), { url, now: now() }),
    authorization: async url => authorizationIn(await ask(url, ''), now()),
    keyAuthorization: async token => `${token}.${thumbprint(await key())}`,
    async respond(challengeUrl) {
      await ask(challengeUrl, {})
    },
    finalize: async ({ finalize, url }, csr) =>
      orderIn(await ask(finalize, { csr: base64url(csr) }), { url, now: now() }),
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
    time: () => (aheadMs === undefined ? undefined : now() + aheadMs),
    async renewalInfo(certificateId) {
      const { renewalInfo } = await findDirectory()
      if (renewalInfo === undefined) return undefined
      const response = expectOk(
        await requestAcme({ method: 'GET', url: `${renewalInfo.replace(/\/$/, '')}/${certificateId}`, ca, signal }),
      )
      return renewalInfoIn(response, now())
    },
  }
}

function isAboutAccount(error: unknown): error is AcmeError {
  return error instanceof AcmeError && accountProblems.has(error.type)
}
