import { followDirectory } from '../base/adapters/directory-events.ts'
import { signDirectory } from '../base/adapters/directory-signature.ts'
import { onTicks, restTickMs } from '../base/clock.ts'
import { type DirectoryWatch, watchDirectory } from '../base/directory-watch.ts'
import { messageOf } from '../base/errors.ts'
import type { Runtime } from '../base/runtime.ts'
import { isOfInterest } from './directory.ts'
import { describeTimeLeft, expiryStage } from './expiry.ts'
import { type Certificates, type CertificatesSettings, findCertificateChange, type KeptCertificate } from './kept.ts'
import { createLocalRenewal } from './local-ca/renewal.ts'

/** Interval of the polls where the kernel does not report changes, in ms. */
const everyMs = 3000
/** Difference between two looks by which the clock was set, not corrected bit by bit; in ms. */
const clockJumpMs = 5000

/** Dependencies of the certificate watch. */
export interface CertificateWatchDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** Settings in force. */
  settings(): CertificatesSettings
  /** Certificates that are served; undefined without HTTPS. */
  current(): Certificates | undefined
  /** Checks whether the HSTS header has to change. */
  checkHsts(): void
  /** Loads the files and has nginx serve them. */
  refresh(reason: string): Promise<unknown>
}

/** Watch that loads changed certificates from `cert_dir`, renews the local certificate, and warns before certificates expire. */
export function watchCertificates({
  clock,
  log,
  settings,
  current,
  checkHsts,
  refresh,
}: CertificateWatchDeps): DirectoryWatch {
  const warned = new Map<string, number>()
  let lastLook = 0
  let clockOffset = clock.now() - clock.monotonic()
  const local = createLocalRenewal({
    clock,
    log,
    renew: () => refresh('the local certificate expires soon'),
  })

  function warnOfExpiry({ source, files, certificate }: KeptCertificate): void {
    const now = clock.now()
    const stage = expiryStage(certificate, now)
    if (source === 'local-ca' || stage <= (warned.get(certificate.id) ?? 0)) return
    warned.set(certificate.id, stage)
    const fields = {
      names: certificate.names.join(','),
      file: files.chain,
      expires: new Date(certificate.notAfter).toISOString(),
    }
    if (certificate.notAfter <= now) log.error('certificate has expired', fields)
    else log.warn('certificate expires soon', { expires_in: describeTimeLeft(certificate.notAfter - now), ...fields })
  }

  async function loadChanges(reason: string): Promise<void> {
    const served = current()
    if (!served) return
    const change = await findCertificateChange(settings(), log, served)
    if (change.kind === 'refused') {
      log.warn('certificate rejected, the current one stays in use', {
        problem: change.problems.join('\n'),
        fix: change.fix,
      })
    }
    if (change.kind === 'new') await refresh(reason)
  }

  /** Loads certificates that were not valid yet and are now. */
  function loadNewlyValid(): void {
    const now = clock.now()
    const isNewlyValid = current()?.problems.some(
      ({ resolvesAt }) => resolvesAt && resolvesAt > lastLook && resolvesAt <= now,
    )
    lastLook = now
    if (isNewlyValid) loadInBackground('a certificate became valid')
  }

  /** Judges every certificate again after the clock was set. */
  function followClock(): void {
    const offset = clock.now() - clock.monotonic()
    const byMs = offset - clockOffset
    clockOffset = offset
    if (Math.abs(byMs) < clockJumpMs) return
    log.info('the clock was set, judging the certificates again', { by_s: Math.round(byMs / 1000) })
    warned.clear()
    loadInBackground('the clock was set')
  }

  function loadInBackground(reason: string): void {
    loadChanges(reason).catch((error: unknown) => log.error('cannot load a certificate', { error: messageOf(error) }))
  }

  let followed = ''
  let onChange = () => {}
  const endLooks = onTicks(clock, restTickMs, () => {
    if (followed !== settings().config.cert_dir) onChange()
    const { kept } = current() ?? { kept: [] }
    for (const one of kept) warnOfExpiry(one)
    local.check(kept)
    loadNewlyValid()
    followClock()
    checkHsts()
  })
  const files = watchDirectory({
    clock,
    log,
    everyMs,
    what: 'the certificates',
    known: current()?.signature ?? '',
    sign: () => signDirectory(settings().config.cert_dir, isOfInterest),
    follow(report) {
      onChange = report
      followed = settings().config.cert_dir
      return followDirectory(followed, report)
    },
    onRest: () => loadChanges(`a change in ${settings().config.cert_dir}`),
  })
  return {
    close() {
      endLooks()
      return files.close()
    },
  }
}
