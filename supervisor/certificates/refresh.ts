import type { Change } from '../base/change.ts'
import { type Clock, pause } from '../base/clock.ts'
import { messageOf, OperatorError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import { probeCertificate } from './adapters/tls-probe.ts'
import {
  type Certificates,
  type KeptCertificate,
  namesWithoutCertificate,
  removeOtherCopies,
  reportUncoveredNames,
} from './kept.ts'
import type { CertificatesModel, ServedCertificates, ServedCertificatesSettings } from './served.ts'

const confirmTimeoutMs = 5000
const confirmPauseMs = 50

/** Dependencies of a refresh. */
export interface RefreshDeps {
  clock: Clock
  log: Log
  /** Settings in force. */
  settings(): ServedCertificatesSettings & { config: { proxy_protocol: boolean } }
  certificates: ServedCertificates
  /** Address at which this machine reaches its own HTTPS port; undefined if it cannot. */
  publicAt: { host: string; port: number } | undefined
  /** Has nginx test and load a change, and commits it. */
  apply(change: Change<CertificatesModel>): Promise<void>
}

/** Loads new certificates: nginx tests and loads them, then a handshake confirms each. If nginx refuses them, the old ones stay in use. */
export async function refreshCertificates(deps: RefreshDeps): Promise<Outcome> {
  const { certificates, log } = deps
  const settings = deps.settings()
  const previous = certificates.current()
  try {
    const { next, change } = await certificates.reread()
    if (!next) return { ok: true, message: 'no certificates to refresh' }
    await deps.apply(change)
    const fresh = next.kept.filter(
      ({ certificate }) => !previous?.kept.some(old => old.certificate.id === certificate.id),
    )
    for (const { certificate } of fresh)
      for (const remark of certificate.remarks) log.warn('certificate warning', { remark })
    const uncovered = namesWithoutCertificate(next.kept, settings)
    if (uncovered.join() !== namesWithoutCertificate(previous?.kept ?? [], settings).join())
      reportUncoveredNames(uncovered, log)
    const failures = await confirmServed(deps, next)
    if (failures.length > 0)
      return {
        ok: false,
        message: 'certificates changed, but a handshake shows another certificate',
        reason: failures.join('\n'),
      }
    await removeOtherCopies(settings, next)
    return { ok: true, message: `certificates changed: ${next.kept.map(describe).join('; ')}` }
  } catch (error) {
    if (error instanceof OperatorError) certificates.recordProblem(error)
    return { ok: false, message: 'certificates rejected, the old ones stay in use', reason: messageOf(error) }
  }
}

function describe({ files, certificate }: KeptCertificate): string {
  return `${certificate.names.join(', ')} until ${new Date(certificate.notAfter).toISOString()} (${files.chain})`
}

/** Failures of handshakes over the public port: each must show its certificate within `confirmTimeoutMs`. */
async function confirmServed(
  { clock, publicAt, settings }: RefreshDeps,
  { arrangement }: Certificates,
): Promise<string[]> {
  if (!publicAt) return []
  const { proxy_protocol: proxyProtocol } = settings().config
  const at = { ...publicAt, proxyProtocol }
  const expected = [arrangement.fallback, ...arrangement.named].flatMap(({ names, certificates }) =>
    certificates.map(({ certificate }) => ({
      ...certificate,
      name: names[0]?.replace('*', 'any'),
      keyType: certificates.length > 1 ? certificate.keyType : undefined,
    })),
  )
  const failures = await Promise.all(
    expected.map(async ({ name, keyType, fingerprint, subject }) => {
      const deadline = clock.monotonic() + confirmTimeoutMs
      for (;;) {
        const seen = await probeCertificate({ ...at, name, keyType }).then(
          ({ certificate }) =>
            certificate.fingerprint256 === fingerprint ? undefined : `shows ${certificate.subject}`,
          (error: unknown) => `fails: ${messageOf(error)}`,
        )
        if (seen === undefined) return []
        if (clock.monotonic() > deadline) return [`a handshake for ${name ?? 'no name'} (${subject}) ${seen}`]
        await pause(clock, confirmPauseMs)
      }
    }),
  )
  return failures.flat()
}
