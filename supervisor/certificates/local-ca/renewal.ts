import { messageOf } from '../../base/errors.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { CertificateFacts } from '../certificate.ts'
import type { Candidate } from '../choice.ts'
import { localRenewalAt } from './profile.ts'

/** Time between two attempts for the same certificate. */
const retryMs = 3_600_000

/** Renewal of the local certificate. */
export interface LocalRenewal {
  /** Renews the local certificate among these if it is due. */
  check(served: readonly Candidate[]): void
}

/** Renews the local certificate without interruption. `renew`: loads the certificates, which reissues the local one. */
export function createLocalRenewal({
  clock,
  log,
  renew,
}: Pick<Runtime, 'clock' | 'log'> & { renew: () => Promise<unknown> }): LocalRenewal {
  let tried: { id: CertificateFacts['id']; at: number } | undefined

  return {
    check(served) {
      const now = clock.now()
      const due = served.find(({ source, certificate }) => source === 'local-ca' && localRenewalAt(certificate) <= now)
      if (!due || (tried?.id === due.certificate.id && clock.monotonic() - tried.at < retryMs)) return
      tried = { id: due.certificate.id, at: clock.monotonic() }
      renew().catch((error: unknown) => log.error('cannot renew the local certificate', { error: messageOf(error) }))
    },
  }
}
