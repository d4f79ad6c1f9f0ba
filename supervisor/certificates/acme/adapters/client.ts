import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { AcmeAuthorization, AcmeChallenge, AcmeClient, AcmeOrder } from '../authority.ts'
import { AcmeError, type AcmeSettings } from '../plan.ts'
import { readRetryAfter } from '../renewal.ts'
import type { AccountStore } from './account.ts'
import { type AcmeHttpAnswer, requestAcme } from './http.ts'
import { base64url, bindExternally, signJws, thumbprint } from './jws.ts'

/** Enough for an authority that refuses every second nonce. */
const nonceTries = 20
const errorPrefix = /^urn:ietf:params:acme:error:/

export interface AcmeClientOptions {
  settings: Pick<AcmeSettings, 'directory' | 'email' | 'eab'>
  /** PEM roots. */
  ca: string | undefined
  account: AccountStore
  now: () => number
  /** Ends every request. */
  signal: AbortSignal
}

interface Directory {
  newNonce: string
  newAccount: string
  newOrder: string
  renewalInfo?: string
  meta?: { externalAccountRequired?: boolean; profiles?: Record<string, string> }
}

interface Problem {
  type?: string
  detail?: string
  subproblems?: Problem[]
}

/** A client of an ACME authority (RFC 8555, and RFC 9773 for renewal information). */
export function createAcmeClient({ settings, ca, account, now, signal }: AcmeClientOptions): AcmeClient {
  let directory: Promise<Directory> | undefined
  let nonces: string[] = []
  let loadedKey: Promise<KeyObject> | undefined

  const key = () => {
    loadedKey ??= account.key().then(createPrivateKey)
    loadedKey.catch(() => {
      loadedKey = undefined // read again at the next need
    })
    return loadedKey
  }

  function findDirectory(): Promise<Directory> {
    directory ??= requestAcme({ method: 'GET', url: settings.directory, ca, signal }).then(answer => {
      const found = bodyOf(expectOk(answer)) as Partial<Directory>
      if (found.newNonce && found.newAccount && found.newOrder) return found as Directory
      throw new AcmeError(`${settings.directory} is no ACME directory`, { type: 'noDirectory' })
    })
    directory.catch(() => {
      directory = undefined // asked again at the next need
    })
    return directory
  }

  function expectOk(answer: AcmeHttpAnswer): AcmeHttpAnswer {
    if (answer.status < 400) return answer
    const problem = problemIn(answer.text)
    throw new AcmeError(`the CA answers ${answer.status}: ${describe(problem)}`, {
      type: problem.type?.replace(errorPrefix, '') ?? `http${answer.status}`,
      retryAfterMs: readRetryAfter(answer.headers['retry-after'], now()),
    })
  }

  async function nonce(): Promise<string> {
    const spare = nonces.pop()
    if (spare !== undefined) return spare
    const { newNonce } = await findDirectory()
    const { headers } = expectOk(await requestAcme({ method: 'HEAD', url: newNonce, ca, signal }))
    return String(headers['replay-nonce'])
  }

  /** A signed request; refused nonces are replaced and it is sent again. */
  async function post(url: string, payload: unknown, kid: string | undefined): Promise<AcmeHttpAnswer> {
    for (let attempt = 1; ; attempt++) {
      const header = { url, nonce: await nonce(), ...(kid === undefined ? {} : { kid }) }
      const answer = await requestAcme({ method: 'POST', url, body: signJws(await key(), header, payload), ca, signal })
      const fresh = answer.headers['replay-nonce']
      if (typeof fresh === 'string') nonces = [fresh]
      const isRefused = answer.status === 400 && problemIn(answer.text).type?.endsWith(':badNonce')
      if (!isRefused || attempt === nonceTries) return expectOk(answer)
    }
  }

  async function register(): Promise<string> {
    const { newAccount, meta } = await findDirectory()
    const { email, eab } = settings
    if (meta?.externalAccountRequired && !eab)
      throw new AcmeError('the CA wants an account made elsewhere: set tls.acme.eab', {
        type: 'externalAccountRequired',
      })
    const payload = {
      termsOfServiceAgreed: true,
      ...(email === undefined ? {} : { contact: [`mailto:${email}`] }),
      ...(eab ? { externalAccountBinding: bindExternally(await key(), newAccount, eab) } : {}),
    }
    const { headers } = await post(newAccount, payload, undefined)
    const url = String(headers.location)
    account.save({ url, email })
    return url
  }

  async function accountUrl(): Promise<string> {
    await key() // without it, nothing is known of the account
    const known = account.load()
    if (known.url === undefined) return register()
    if (known.email !== settings.email) {
      await post(known.url, { contact: settings.email === undefined ? [] : [`mailto:${settings.email}`] }, known.url)
      account.save({ ...known, email: settings.email })
    }
    return known.url
  }

  /** A request of the account, which is made when the authority has none, or has forgotten it. */
  async function ask(url: string, payload: unknown): Promise<AcmeHttpAnswer> {
    try {
      return await post(url, payload, await accountUrl())
    } catch (error) {
      if (!(error instanceof AcmeError) || error.type !== 'accountDoesNotExist') throw error
      return post(url, payload, await register())
    }
  }

  const retryAfter = ({ headers }: AcmeHttpAnswer) => readRetryAfter(headers['retry-after'], now())

  function orderIn(answer: AcmeHttpAnswer, url: string): AcmeOrder {
    const { error, ...order } = bodyOf(answer) as Omit<AcmeOrder, 'problem' | 'url'> & { error?: Problem }
    const problem = error && describe(error)
    return { ...order, url, problem, certificate: order.certificate, retryAfterMs: retryAfter(answer) }
  }

  return {
    async newOrder(domains, { profile, replaces }) {
      const { newOrder, renewalInfo, meta } = await findDirectory()
      if (profile !== undefined && !(profile in (meta?.profiles ?? {}))) {
        const known = Object.keys(meta?.profiles ?? {}).join(', ') || 'none'
        throw new AcmeError(`the CA has no profile ${profile}; it has: ${known}`, { type: 'invalidProfile' })
      }
      const answer = await ask(newOrder, {
        identifiers: domains.map(value => ({ type: 'dns', value })),
        ...(profile === undefined ? {} : { profile }),
        ...(replaces === undefined || renewalInfo === undefined ? {} : { replaces }),
      })
      return orderIn(answer, String(answer.headers.location))
    },
    order: async url => orderIn(await ask(url, ''), url),
    async authorization(url) {
      const answer = await ask(url, '')
      const { status, identifier, challenges } = bodyOf(answer) as Pick<AcmeAuthorization, 'status'> & {
        identifier: { value: string }
        challenges: (AcmeChallenge & { error?: Problem })[]
      }
      return {
        status,
        domain: identifier.value,
        challenges: challenges.map(({ error, ...rest }) => ({ ...rest, problem: error && describe(error) })),
        retryAfterMs: retryAfter(answer),
      }
    },
    keyAuthorization: async token => `${token}.${thumbprint(await key())}`,
    async respond(challengeUrl) {
      await ask(challengeUrl, {})
    },
    finalize: async ({ finalize, url }, csr) => orderIn(await ask(finalize, { csr: base64url(csr) }), url),
    certificate: async url => (await ask(url, '')).text,
    async renewalInfo(certificateId) {
      const { renewalInfo } = await findDirectory()
      if (renewalInfo === undefined) return undefined
      const answer = expectOk(
        await requestAcme({ method: 'GET', url: `${renewalInfo.replace(/\/$/, '')}/${certificateId}`, ca, signal }),
      )
      const { suggestedWindow, explanationURL } = bodyOf(answer) as {
        suggestedWindow?: { start?: string; end?: string }
        explanationURL?: string
      }
      const window = { start: Date.parse(suggestedWindow?.start ?? ''), end: Date.parse(suggestedWindow?.end ?? '') }
      if (Number.isNaN(window.start) || Number.isNaN(window.end)) return undefined
      return { window, retryAfterMs: retryAfter(answer), explanation: explanationURL }
    },
  }
}

function bodyOf({ text }: AcmeHttpAnswer): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new AcmeError('the CA answers with what is no JSON', { type: 'noJson' })
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
