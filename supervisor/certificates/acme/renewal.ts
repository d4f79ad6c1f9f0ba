import type { CertificateFacts } from '../certificate.ts'
import type { Renewal, RenewalWindow } from './plan.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Lifetime up to which a certificate is renewed after half of it. */
const shortLifeMs = 10 * dayMs
/** Part of the lifetime over which renewals are spread. */
const jitterPart = 0.05
/** Part of the lifetime reserved for retries if the authority's window extends into it. */
const reservedPart = 0.1
const askEveryMs = 6 * hourMs
const minAskMs = 60_000

/** Renewal information from the authority (RFC 9773). */
export interface RenewalInfo {
  window: RenewalWindow
  retryAfterMs: number | undefined
  explanation: string | undefined
}

type Dates = Pick<CertificateFacts, 'id' | 'notBefore' | 'notAfter'>

/** Facts that decide when a certificate is renewed. */
export interface RenewalFacts {
  certificate: Dates
  previous: Renewal | undefined
  /** Undefined if the authority offers none or did not respond. */
  info: RenewalInfo | undefined
  now: number
  /** From 0 to 1. */
  random: number
}

/**
 * Plans the renewal: at a random time in the window that the authority suggests, chosen once per window. Without a window: after
 * two thirds of the lifetime, or half of a short one, minus a random part.
 */
export function planRenewal({ certificate, previous, info, now, random }: RenewalFacts): Renewal {
  const current = previous?.of === certificate.id ? previous : undefined
  if (!info || !isSensible(info.window, certificate)) {
    const askAgainAt = now + askEveryMs
    return current ? { ...current, askAgainAt } : { ...byLifetime(certificate, random), askAgainAt }
  }
  const { window, explanation } = info
  const wait = Math.min(Math.max(info.retryAfterMs ?? askEveryMs, minAskMs), dayMs)
  const isSame = current?.window?.start === window.start && current.window.end === window.end
  const reason = explanation ? `; ${explanation}` : ''
  return {
    of: certificate.id,
    window,
    at: isSame ? current.at : Math.round(window.start + random * (latestIn(window, certificate) - window.start)),
    why:
      window.end <= now
        ? `the CA asks to replace it at once${reason}`
        : `the CA suggests ${iso(window.start)} to ${iso(window.end)}${reason}`,
    askAgainAt: now + wait,
  }
}

function isSensible({ start, end }: RenewalWindow, { notAfter }: Dates): boolean {
  return end > start && start < notAfter
}

/** End of the window, or earlier to leave time for retries before the certificate expires. */
function latestIn({ start, end }: RenewalWindow, { notBefore, notAfter }: Dates): number {
  return Math.min(end, Math.max(start, notAfter - (notAfter - notBefore) * reservedPart))
}

function byLifetime({ id, notBefore, notAfter }: Dates, random: number): Omit<Renewal, 'askAgainAt'> {
  const lifetime = notAfter - notBefore
  const [part, fraction] = lifetime <= shortLifeMs ? [1 / 2, 'half'] : [2 / 3, 'two thirds']
  return {
    of: id,
    window: undefined,
    at: Math.round(notBefore + lifetime * (part - random * jitterPart)),
    why: `${fraction} of the lifetime`,
  }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}

/** Value of a Retry-After header (RFC 9110, 10.2.3) in milliseconds from now; undefined if missing or malformed. */
export function readRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const time = Date.parse(value)
  return Number.isNaN(time) ? undefined : Math.max(0, time - now)
}
