import type { AcmeAuthorization, AcmeChallenge, AcmeOrder } from '../authority.ts'
import { AcmeError } from '../plan.ts'
import { type RenewalInfo, readRetryAfter } from '../renewal.ts'
import type { AcmeHttpResponse } from './http.ts'

const errorPrefix = /^urn:ietf:params:acme:error:/

interface Problem {
  type?: string | undefined
  detail?: string | undefined
  /** URL at which somebody must act, if the type is `userActionRequired` (RFC 8555, 7.3.3). */
  instance?: unknown
  subproblems?: Problem[] | undefined
}

/** The response itself. Throws the problem that it reports. `now`: time to which a Retry-After date is compared. */
export function succeeded(response: AcmeHttpResponse, now: number): AcmeHttpResponse {
  if (response.status < 400) return response
  const problem = problemIn(response.text)
  throw new AcmeError(`the CA responded ${response.status}: ${describe(problem)}${fixOf(problem, response)}`, {
    type: problem.type?.replace(errorPrefix, '') ?? `http${response.status}`,
    retryAfterMs: retryAfter(response, now),
  })
}

/** Order in a response (RFC 8555, 7.1.3). */
export function orderIn(response: AcmeHttpResponse, { url, now }: { url: string; now: number }): AcmeOrder {
  const { error, ...order } = bodyOf(response) as Partial<Omit<AcmeOrder, 'problem' | 'url'>> & { error?: Problem }
  const { status, authorizations = [], finalize = '', certificate } = order
  if (typeof status !== 'string' || !Array.isArray(authorizations)) throw incomplete('order')
  const problem = error && describe(error)
  return { url, status, authorizations, finalize, certificate, problem, retryAfterMs: retryAfter(response, now) }
}

/** Authorization in a response (RFC 8555, 7.1.4). */
export function authorizationIn(response: AcmeHttpResponse, now: number): AcmeAuthorization {
  const { status, identifier, challenges } = bodyOf(response) as {
    status?: AcmeAuthorization['status']
    identifier?: { value?: string }
    challenges?: (AcmeChallenge & { error?: Problem })[]
  }
  if (typeof status !== 'string' || typeof identifier?.value !== 'string' || !Array.isArray(challenges))
    throw incomplete('authorization')
  return {
    status,
    domain: identifier.value,
    challenges: challenges.map(({ error, ...rest }) => ({ ...rest, problem: error && describe(error) })),
    retryAfterMs: retryAfter(response, now),
  }
}

/** Renewal information in a response (RFC 9773); undefined if it has no window. */
export function renewalInfoIn(response: AcmeHttpResponse, now: number): RenewalInfo | undefined {
  const { suggestedWindow, explanationURL } = bodyOf(response) as {
    suggestedWindow?: { start?: string; end?: string }
    explanationURL?: string
  }
  const window = { start: Date.parse(suggestedWindow?.start ?? ''), end: Date.parse(suggestedWindow?.end ?? '') }
  if (Number.isNaN(window.start) || Number.isNaN(window.end)) return undefined
  return { window, retryAfterMs: retryAfter(response, now), explanation: explanationURL }
}

/** JSON object in a response. Throws if there is none. */
export function bodyOf({ text }: AcmeHttpResponse): object {
  const body = parse(text)
  if (body) return body
  throw new AcmeError('the response of the CA is not JSON', { type: 'noJson' })
}

function incomplete(what: string): AcmeError {
  return new AcmeError(`the CA sent an incomplete ${what}`, { type: 'noJson' })
}

/** URL in the Location header, which may be relative to the URL of the request. */
export function locationIn({ headers }: AcmeHttpResponse, url: string): string {
  if (headers.location && URL.canParse(headers.location, url)) return new URL(headers.location, url).href
  throw new AcmeError('the CA sent no Location header', { type: 'noJson' })
}

/** Problem document (RFC 7807) in a response, or what its text says. */
export function problemIn(text: string): Problem {
  // an HTML page of a proxy says no more than its title
  const [, title] = /<title>([^<]*)/i.exec(text) ?? []
  return parse(text) ?? { detail: (title ?? text).slice(0, 200).trim() || undefined }
}

function parse(text: string): object | undefined {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : undefined
  } catch {
    return undefined
  }
}

function describe({ type, detail, subproblems = [] }: Problem): string {
  const own = `${detail ?? 'no reason given'}${type === undefined ? '' : ` (${type.replace(errorPrefix, '')})`}`
  return [own, ...subproblems.map(describe)].join('; ')
}

/** Reference to the page of the CA on which the operator must act. */
function fixOf({ type, instance }: Problem, { headers }: AcmeHttpResponse): string {
  if (!type?.endsWith(':userActionRequired')) return ''
  const [, terms] = /<([^<>]+)>\s*;\s*rel="?terms-of-service"?/.exec(String(headers.link ?? '')) ?? []
  const url = [instance, terms].find(each => typeof each === 'string' && /^https:\/\/[\x21-\x7e]+$/.test(each))
  return url ? `; open ${url} and do what it asks for` : '; sign in to the account with the CA, and do what it asks for'
}

function retryAfter({ headers }: AcmeHttpResponse, now: number): number | undefined {
  return readRetryAfter(headers['retry-after'], now)
}
