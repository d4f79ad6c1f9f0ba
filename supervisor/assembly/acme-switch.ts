import type { Outcome } from '../domain/command.ts'
import type { RenewMode } from '../services/acme.ts'
import { acmeSettingsOf } from './acme-settings.ts'
import type { Parts } from './parts.ts'

/** Starts ACME when the configuration has it, and ends what ran of it before. Nothing of it is loaded without need. */
export async function switchAcme(parts: Parts): Promise<void> {
  parts.acme?.close()
  parts.acme = undefined
  const wanted = acmeSettingsOf(parts.settings.config)
  if (wanted) parts.acme = (await import('./acme.ts')).startAcme(parts, wanted)
}

/** Renews a certificate now. It takes its time, so it is no command of the queue; only serving the result is. */
export async function renewCertificate({ acme }: Parts, name: string, mode: RenewMode): Promise<Outcome> {
  if (acme) return acme.renew(name, mode)
  const reason = 'tls.acme is not set: mounted certificates are taken up by themselves'
  return { ok: false, message: 'nothing renewed', reason }
}
