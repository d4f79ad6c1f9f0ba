import { askCertificate } from '../adapters/tls-probe.ts'
import { pause, systemClock } from '../base/clock.ts'
import { messageOf, OperatorError } from '../base/errors.ts'
import type { CertificateProblem } from '../domain/certificate.ts'
import type { Outcome } from '../domain/command.ts'
import {
  type Certificates,
  forgetOtherCopies,
  type KeptCertificate,
  loadCertificates,
  namesWithoutCertificate,
  reportNames,
} from './certificates.ts'
import { reachableHost } from './front.ts'
import { modelOf, type Parts } from './parts.ts'

const confirmTimeoutMs = 5000
const confirmPauseMs = 50

/** What the files ask for now, compared with what is served. */
export type CertificateChange =
  | { kind: 'none' }
  /** Nothing else to serve, but something is wrong with the files. */
  | { kind: 'refused'; problems: string[]; fix: string }
  | { kind: 'new' }

/** Looks at the certificate files without touching what is served. */
export async function findCertificateChange({ settings, log, certificates }: Parts): Promise<CertificateChange> {
  if (!certificates) return { kind: 'none' }
  try {
    const next = await loadCertificates(settings, log, certificates)
    if (!next || listIds(next) !== listIds(certificates)) return { kind: 'new' }
    const known = certificates.problems.map(({ problem }) => problem)
    const fresh = next.problems.filter(({ problem }) => !known.includes(problem))
    certificates.problems = next.problems
    return fresh.length === 0
      ? { kind: 'none' }
      : { kind: 'refused', problems: fresh.map(({ problem }) => problem), fix: fresh[0]?.fix ?? '' }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    certificates.problems = [asProblem(error)]
    return { kind: 'refused', problems: [error.message], fix: error.fix }
  }
}

function listIds({ kept }: Certificates): string {
  return kept.map(({ certificate }) => certificate.id).join()
}

/** Takes up new certificates: nginx tests and loads them, then a handshake proves each. Otherwise the old ones stay. */
export async function refreshCertificates(parts: Parts): Promise<Outcome> {
  const { settings, certificates: previous, nginx, log } = parts
  try {
    const next = await loadCertificates(settings, log, previous)
    if (!next || !nginx) return { ok: true, message: 'no certificates to refresh' }
    parts.certificates = next
    parts.hsts?.look(next.kept)
    await nginx.apply(modelOf(parts, settings, 'ready'))
    const fresh = next.kept.filter(
      ({ certificate }) => !previous?.kept.some(old => old.certificate.id === certificate.id),
    )
    for (const { certificate } of fresh)
      for (const remark of certificate.remarks) log.warn('certificate is odd', { remark })
    const nameless = namesWithoutCertificate(next.kept, settings.config)
    if (nameless.join() !== namesWithoutCertificate(previous?.kept ?? [], settings.config).join())
      reportNames(nameless, log)
    const failures = await confirmServed(parts, next)
    if (failures.length > 0)
      return { ok: false, message: 'certificates changed, and a handshake shows another', reason: failures.join('\n') }
    await forgetOtherCopies(settings, next)
    return { ok: true, message: `certificates changed: ${next.kept.map(describe).join('; ')}` }
  } catch (error) {
    parts.certificates = previous
    if (previous && error instanceof OperatorError) previous.problems = [asProblem(error)]
    return { ok: false, message: 'certificates refused, the old ones stay', reason: messageOf(error) }
  }
}

function asProblem({ message, fix }: OperatorError): CertificateProblem {
  return { files: { chain: '', key: '' }, problem: message, fix }
}

function describe({ files, certificate }: KeptCertificate): string {
  return `${certificate.names.join(', ')} until ${new Date(certificate.notAfter).toISOString()} (${files.chain})`
}

/** Asks for every certificate by a real handshake, over the public port. What is missing after a while is told. */
async function confirmServed({ front, settings }: Parts, { arrangement }: Certificates): Promise<string[]> {
  const [socket] = front.https
  if (!socket) return []
  const { proxy_protocol: proxyProtocol } = settings.config
  const at = { host: reachableHost(socket.address), port: socket.port, proxyProtocol }
  const expected = [arrangement.fallback, ...arrangement.named].flatMap(({ names, certificates }) =>
    certificates.map(({ certificate }) => ({
      ...certificate,
      name: names[0]?.replace('*', 'any'),
      keyType: certificates.length > 1 ? certificate.keyType : undefined,
    })),
  )
  const failures = await Promise.all(
    expected.map(async ({ name, keyType, fingerprint, subject }) => {
      const deadline = systemClock.monotonic() + confirmTimeoutMs
      for (;;) {
        const seen = await askCertificate({ ...at, name, keyType }).then(
          ({ certificate }) =>
            certificate.fingerprint256 === fingerprint ? undefined : `shows ${certificate.subject}`,
          (error: unknown) => `fails: ${messageOf(error)}`,
        )
        if (seen === undefined) return []
        if (systemClock.monotonic() > deadline) return [`a handshake for ${name ?? 'no name'} (${subject}) ${seen}`]
        await pause(systemClock, confirmPauseMs)
      }
    }),
  )
  return failures.flat()
}
