import type { Change } from '../base/change.ts'
import { type Clock, pause } from '../base/clock.ts'
import { messageOf, OperatorError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import { askCertificate } from './adapters/tls-probe.ts'
import {
  type Certificates,
  forgetOtherCopies,
  type KeptCertificate,
  namesWithoutCertificate,
  reportNames,
} from './kept.ts'
import type { CertificatesModel, ServedCertificates, ServedCertificatesSettings } from './served.ts'

const confirmTimeoutMs = 5000
const confirmPauseMs = 50

export interface RefreshDeps {
  clock: Clock
  log: Log
  /** The settings in force. */
  settings(): ServedCertificatesSettings & { config: { proxy_protocol: boolean } }
  certificates: ServedCertificates
  /** Where this machine reaches HTTPS; undefined: nowhere. */
  publicAt: { host: string; port: number } | undefined
  /** Has nginx take a change, and puts it in force. */
  take(change: Change<CertificatesModel>): Promise<void>
}

/** Takes up new certificates: nginx tests and loads them, then a handshake proves each. Otherwise the old ones stay. */
export async function refreshCertificates(deps: RefreshDeps): Promise<Outcome> {
  const { certificates, log } = deps
  const settings = deps.settings()
  const previous = certificates.current()
  try {
    const { next, change } = await certificates.reread()
    if (!next) return { ok: true, message: 'no certificates to refresh' }
    await deps.take(change)
    const fresh = next.kept.filter(
      ({ certificate }) => !previous?.kept.some(old => old.certificate.id === certificate.id),
    )
    for (const { certificate } of fresh)
      for (const remark of certificate.remarks) log.warn('certificate is odd', { remark })
    const nameless = namesWithoutCertificate(next.kept, settings)
    if (nameless.join() !== namesWithoutCertificate(previous?.kept ?? [], settings).join()) reportNames(nameless, log)
    const failures = await confirmServed(deps, next)
    if (failures.length > 0)
      return { ok: false, message: 'certificates changed, and a handshake shows another', reason: failures.join('\n') }
    await forgetOtherCopies(settings, next)
    return { ok: true, message: `certificates changed: ${next.kept.map(describe).join('; ')}` }
  } catch (error) {
    if (error instanceof OperatorError) certificates.noteProblem(error)
    return { ok: false, message: 'certificates refused, the old ones stay', reason: messageOf(error) }
  }
}

function describe({ files, certificate }: KeptCertificate): string {
  return `${certificate.names.join(', ')} until ${new Date(certificate.notAfter).toISOString()} (${files.chain})`
}

/** What handshakes over the public port show instead of the certificates that are served, after a while. */
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
        const seen = await askCertificate({ ...at, name, keyType }).then(
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
