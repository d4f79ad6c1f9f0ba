import type { Change } from '../base/change.ts'
import type { DirectoryWatch } from '../base/directory-watch.ts'
import type { OperatorError } from '../base/errors.ts'
import type { Metric } from '../base/metrics.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Runtime } from '../base/runtime.ts'
import type { SharedState } from '../shared-state/state.ts'
import { describeExpiries } from './expiry.ts'
import type { HstsKeys } from './hsts/open.ts'
import type { SharedProgress } from './hsts/shared.ts'
import type { Hsts } from './hsts/stages.ts'
import type { HstsWatch } from './hsts/watch.ts'
import {
  asProblem,
  type Certificates,
  type CertificatesSettings,
  certificateModel,
  loadCertificates,
  reportCertificates,
} from './kept.ts'
import { certificateMetrics } from './metrics.ts'
import { type CertificatesStatus, describeCertificates, type Issuance } from './status.ts'
import type { TlsCertificates } from './tls-certificates.ts'

/** Settings that certificates and HSTS depend on. */
export interface ServedCertificatesSettings extends CertificatesSettings {
  config: CertificatesSettings['config'] & HstsKeys
}

/** Part of nginx's model that certificates provide. */
export interface CertificatesModel {
  certificates: TlsCertificates | undefined
  hsts: Hsts | undefined
}

/** Dependencies of the served certificates. */
export interface ServedCertificatesDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** Settings in force. */
  settings(): ServedCertificatesSettings
  /** Certificates that a CA issues. */
  issuance(): Issuance
  /** State that instances share; undefined without shared_state. */
  sharedState?: SharedState | undefined
  /** Called when the HSTS header has changed. */
  onHsts(): void
  /** Loads the files and has nginx serve them. */
  refresh(reason: string): Promise<Outcome>
}

/** Certificates and the HSTS watch that goes with them; undefined without HTTPS and without tls.hsts, respectively. */
export interface Generation {
  certificates: Certificates | undefined
  hsts: HstsWatch | undefined
}

/** Service of the served certificates, and of HSTS, which depends on them. */
export interface ServedCertificates {
  readonly name: string
  prepare(next: ServedCertificatesSettings): Promise<Change<CertificatesModel>>
  model(settings: ServedCertificatesSettings): CertificatesModel
  status(): { certificates: CertificatesStatus | undefined }
  warnings(): string[]
  metrics(): Metric[]
  close(): Promise<void> | undefined
  current(): Certificates | undefined
  /** Change to the current content of the files, under the settings in force. Rejects with an OperatorError if nothing can be served. */
  reread(): Promise<{ next: Certificates | undefined; change: Change<CertificatesModel> }>
  /** Records a problem with files that are not served, for the status. */
  recordProblem(error: OperatorError): void
  /** Starts to load changes in `cert_dir`, and to warn before certificates expire. */
  watch(): Promise<void>
}

/** Loads the certificates, reports them, and returns their service. Rejects with an OperatorError if nothing can be served. */
export async function openCertificates(deps: ServedCertificatesDeps): Promise<ServedCertificates> {
  const { clock, log, settings, sharedState } = deps
  let sharedProgress: SharedProgress | undefined
  let current: Generation = { certificates: undefined, hsts: undefined }

  current = await load(settings())
  let watch: DirectoryWatch | undefined

  report(current, settings())
  checkHsts(current)
  reportHsts(current)

  async function load(next: ServedCertificatesSettings, before?: Generation): Promise<Generation> {
    return {
      certificates: await loadCertificates(next, log, before?.certificates),
      hsts: before && hstsKey(next) === hstsKey(settings()) ? before.hsts : await openHsts(next),
    }
  }

  async function openHsts(next: ServedCertificatesSettings): Promise<HstsWatch | undefined> {
    const { hsts: rule } = next.config.tls
    if (!rule) return undefined
    if (sharedState && rule.maxAgeMs === undefined) {
      const { shareProgress } = await import('./hsts/shared.ts')
      sharedProgress ??= shareProgress({ state: sharedState, clock, log, onChange: followHsts })
    }
    return (await import('./hsts/open.ts')).openHsts(rule, next.config, { clock, log, shared: sharedProgress })
  }

  function followHsts(): void {
    if (!checkHsts(current)) return
    log.info('HSTS changed', { header: current.hsts?.header()?.value ?? 'none' })
    deps.onHsts()
  }

  function checkHsts({ certificates, hsts }: Generation): boolean {
    return hsts?.check(certificates?.kept ?? []) ?? false
  }

  function reportHsts({ hsts }: Generation): void {
    // the stage of other instances comes later
    if (sharedProgress && !sharedProgress.known()) return
    if (hsts && !hsts.header()) log.info('HSTS header not sent yet: it needs a certificate that browsers trust')
  }

  function report({ certificates }: Generation, under: ServedCertificatesSettings): void {
    if (certificates) reportCertificates(certificates, under, log)
  }

  const modelOf = ({ certificates, hsts }: Generation, { config }: ServedCertificatesSettings, isInForce = false) => ({
    certificates: certificates && certificateModel(certificates, config),
    hsts: isInForce ? hsts?.header() : hsts?.headerFor(certificates?.kept ?? []),
  })

  /** `onCommit` is called once the change is in force. */
  function changeTo(
    next: Generation,
    under: ServedCertificatesSettings,
    onCommit: () => void,
  ): Change<CertificatesModel> {
    return {
      model: () => modelOf(next, under),
      commit() {
        current = next
        checkHsts(current)
        onCommit()
      },
    }
  }

  return {
    name: 'certificates',
    current: () => current.certificates,
    async prepare(next) {
      const former = current
      const prepared = await load(next, former)
      return changeTo(prepared, next, () => {
        report(prepared, next)
        if (prepared.hsts !== former.hsts) reportHsts(prepared)
      })
    },
    async reread() {
      const next = await load(settings(), current)
      return { next: next.certificates, change: changeTo(next, settings(), () => {}) }
    },
    recordProblem(error) {
      if (current.certificates) current.certificates.problems = [asProblem(error)]
    },
    model: now => modelOf(current, now, true),
    status: () => ({ certificates: describe() }),
    warnings: () => describeExpiries(current.certificates?.kept ?? [], clock.now()),
    metrics() {
      const found = describe()
      return found ? certificateMetrics(found) : []
    },
    async watch() {
      if (!current.certificates) return
      const { watchCertificates } = await import('./watch.ts')
      watch = watchCertificates({
        ...deps,
        current: () => current.certificates,
        checkHsts: followHsts,
      })
    },
    close() {
      sharedProgress?.close()
      return watch?.close()
    },
  }

  function describe(): CertificatesStatus | undefined {
    const { certificates } = current
    return certificates && describeCertificates(certificates, deps.issuance(), clock.now())
  }
}

/** Settings that HSTS depends on, as text to compare. */
function hstsKey({ config }: ServedCertificatesSettings): string {
  return JSON.stringify([config.tls.hsts, config.tls.on_demand, config.trusted_proxies.length > 0, config.state_dir])
}
