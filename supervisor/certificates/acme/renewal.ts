import type { CertificateFacts } from '../certificate.ts'
import type { Renewal, RenewalWindow } from './plan.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** A certificate that lives no longer is renewed at half of its life. */
const shortLifeMs = 10 * dayMs
/** Part of the lifetime by which renewals are spread. */
const jitterPart = 0.05
/** Part of the lifetime that is left for failures, when the authority's window goes on beyond. */
const sparedPart = 0.1
const askEveryMs = 6 * hourMs
const soonestAskMs = 60_000

/** What the authority suggests (RFC 9773). */
export interface RenewalInfo {
  window: RenewalWindow
  retryAfterMs: number | undefined
  explanation: string | undefined
}

type Dates = Pick<CertificateFacts, 'id' | 'notBefore' | 'notAfter'>

export interface RenewalFacts {
  certificate: Dates
  previous: Renewal | undefined
  /** Undefined: the authority has none to offer, or did not answer. */
  info: RenewalInfo | undefined
  now: number
  /** From 0 to 1. */
  random: number
}

/**
 * When to renew: at a random time in the window that the authority suggests, chosen once per window; without a window at
 * two thirds of the lifetime, or half of a short one, somewhat earlier at random.
 */
export function planRenewal({ certificate, previous, info, now, random }: RenewalFacts): Renewal {
  const mine = previous?.of === certificate.id ? previous : undefined
  if (!info || !isSensible(info.window, certificate)) {
    const askAgainAt = now + askEveryMs
    return mine ? { ...mine, askAgainAt } : { ...byLifetime(certificate, random), askAgainAt }
  }
  const { window, explanation } = info
  const wait = Math.min(Math.max(info.retryAfterMs ?? askEveryMs, soonestAskMs), dayMs)
  const isSame = mine?.window?.start === window.start && mine.window.end === window.end
  const reason = explanation ? `; ${explanation}` : ''
  return {
    of: certificate.id,
    window,
    at: isSame ? mine.at : Math.round(window.start + random * (latestIn(window, certificate) - window.start)),
    why:
      window.end <= now
        ? `the CA wants it replaced at once${reason}`
        : `the CA suggests ${iso(window.start)} to ${iso(window.end)}${reason}`,
    askAgainAt: now + wait,
  }
}

function isSensible({ start, end }: RenewalWindow, { notAfter }: Dates): boolean {
  return end > start && start < notAfter
}

/** Whatever is suggested: in time before the certificate ends. */
function latestIn({ start, end }: RenewalWindow, { notBefore, notAfter }: Dates): number {
  return Math.min(end, Math.max(start, notAfter - (notAfter - notBefore) * sparedPart))
}

function byLifetime({ id, notBefore, notAfter }: Dates, random: number): Omit<Renewal, 'askAgainAt'> {
  const lifetime = notAfter - notBefore
  const [part, words] = lifetime <= shortLifeMs ? [1 / 2, 'half'] : [2 / 3, 'two thirds']
  return {
    of: id,
    window: undefined,
    at: Math.round(notBefore + lifetime * (part - random * jitterPart)),
    why: `${words} of the lifetime`,
  }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}

/** A Retry-After header (RFC 9110, 10.2.3) as milliseconds from now. */
export function readRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const time = Date.parse(value)
  return Number.isNaN(time) ? undefined : Math.max(0, time - now)
}
