import type { Runtime } from '../base/runtime.ts'
import { readClientAuthority, readRevocationList } from './client-authority.ts'
import { type AuthorityProblem, findAuthorityProblems } from './client-authority-problems.ts'
import type { ClientCertificates } from './client-certificates.ts'

const everyMs = 60_000
const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
const list = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g

/** Status of the check of client certificates. */
export interface ClientCertificateStatus {
  /** Reasons why good client certificates are rejected, now or soon. */
  problems: string[]
}

/** Watch of the CAs and revocation lists of client certificates, which expire while monohull runs. */
export interface ClientAuthorityWatch {
  readonly name: string
  status(): { clientCertificates: ClientCertificateStatus | undefined }
  quiesce(): void
}

/** Problems of the CAs and lists in the settings at a time. */
export function problemsOfClientCertificates(
  settings: ClientCertificates | undefined,
  now: number,
): AuthorityProblem[] {
  if (!settings) return []
  const read = <T>(text: string, blocks: RegExp, parse: (pem: string) => T | undefined) =>
    (text.match(blocks) ?? []).flatMap(pem => parse(pem) ?? [])
  return findAuthorityProblems(
    read(settings.authorities, certificate, readClientAuthority),
    settings.revoked === undefined ? undefined : read(settings.revoked, list, readRevocationList),
    now,
  )
}

/** Starts the watch. It logs each problem once. */
export function watchClientAuthorities({
  clock,
  log,
  current,
}: Pick<Runtime, 'clock' | 'log'> & {
  /** Client certificates under the settings in force. */
  current(): ClientCertificates | undefined
}): ClientAuthorityWatch {
  let known = new Set<string>()
  let cancel = () => {}

  const find = () => problemsOfClientCertificates(current(), clock.now())

  function look(): void {
    const problems = find()
    for (const { kind, problem, fix } of problems) {
      if (known.has(problem)) continue
      if (kind === 'expires') log.warn('client certificates will be rejected', { problem, fix })
      else log.error('client certificates are rejected', { problem, fix })
    }
    if (problems.length === 0 && known.size > 0) log.info('client certificates are checked again')
    known = new Set(problems.map(({ problem }) => problem))
    cancel = clock.after(everyMs, look)
  }

  look()
  return {
    name: 'client certificates',
    status: () => ({ clientCertificates: current() && { problems: find().map(({ problem }) => problem) } }),
    quiesce: () => cancel(),
  }
}
