import type { Change } from '../base/change.ts'
import type { FolderWatch } from '../base/directory-watch.ts'
import type { OperatorError } from '../base/errors.ts'
import type { Metric } from '../base/metrics.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Runtime } from '../base/runtime.ts'
import type { HstsKeys } from './hsts/open.ts'
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
import { type CertificatesStatus, describeCertificates, type Issues } from './status.ts'
import type { TlsCertificates } from './tls-certificates.ts'

/** Settings that certificates and HSTS depend on. */
export interface ServedCertificatesSettings extends CertificatesSettings {
  config: CertificatesSettings['config'] & HstsKeys
}

/** Part of nginx's model that certificates give. */
export interface CertificatesModel {
  certificates: TlsCertificates | undefined
  hsts: Hsts | undefined
}

export interface ServedCertificatesDeps extends Pick<Runtime, 'clock' | 'log'> {
  /** The settings in force. */
  settings(): ServedCertificatesSettings
  /** What a CA is asked for. */
  issues(): Issues
  /** Called when another HSTS header is to be sent. */
  onHsts(): void
  /** Has nginx serve what the files hold now. */
  refresh(reason: string): Promise<Outcome>
}

/** What is served, and the header that says how long browsers keep to HTTPS. Undefined: without HTTPS, and without tls.hsts. */
export interface Generation {
  certificates: Certificates | undefined
  hsts: HstsWatch | undefined
}

/** The certificates that are served, and HSTS, which depends on them. */
export interface ServedCertificates {
  readonly name: string
  prepare(next: ServedCertificatesSettings): Promise<Change<CertificatesModel>>
  model(settings: ServedCertificatesSettings): CertificatesModel
  status(): { certificates: CertificatesStatus | undefined }
  metrics(): Metric[]
  close(): Promise<void> | undefined
  current(): Certificates | undefined
  /** Change to what the files hold now, under the settings in force; an OperatorError when nothing can be served. */
  reread(): Promise<{ next: Certificates | undefined; change: Change<CertificatesModel> }>
  /** Remembers what is wrong with files that are not served. */
  noteProblem(error: OperatorError): void
  /** Begins to take up what changes in the directory of mounted ones, and to warn before certificates expire. */
  watch(): Promise<void>
}

export async function openCertificates(deps: ServedCertificatesDeps): Promise<ServedCertificates> {
  const { clock, log, settings } = deps
  let current = await load(settings())
  let watch: FolderWatch | undefined

  report(current, settings())
  lookAtHsts(current)
  reportHsts(current)

  async function load(next: ServedCertificatesSettings, before?: Generation): Promise<Generation> {
    return {
      certificates: await loadCertificates(next, log, before?.certificates),
      hsts: before && hstsKey(next) === hstsKey(settings()) ? before.hsts : await openHsts(next),
    }
  }

  async function openHsts(next: ServedCertificatesSettings): Promise<HstsWatch | undefined> {
    const { hsts: rule } = next.config.tls
    return rule ? (await import('./hsts/open.ts')).openHsts(rule, next.config, { clock, log }) : undefined
  }

  function lookAtHsts({ certificates, hsts }: Generation): boolean {
    return hsts?.look(certificates?.kept ?? []) ?? false
  }

  function reportHsts({ hsts }: Generation): void {
    if (hsts && !hsts.header()) log.info('HSTS is not sent yet: it takes a certificate that browsers trust')
  }

  function report({ certificates }: Generation, under: ServedCertificatesSettings): void {
    if (certificates) reportCertificates(certificates, under, log)
  }

  const modelOf = ({ certificates, hsts }: Generation, { config }: ServedCertificatesSettings, isInForce = false) => ({
    certificates: certificates && certificateModel(certificates, config),
    hsts: isInForce ? hsts?.header() : hsts?.headerFor(certificates?.kept ?? []),
  })

  /** `onCommit` is called when it is in force. */
  function changeTo(
    next: Generation,
    under: ServedCertificatesSettings,
    onCommit: () => void,
  ): Change<CertificatesModel> {
    return {
      model: () => modelOf(next, under),
      commit() {
        current = next
        lookAtHsts(current)
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
    noteProblem(error) {
      if (current.certificates) current.certificates.problems = [asProblem(error)]
    },
    model: now => modelOf(current, now, true),
    status: () => ({ certificates: describe() }),
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
        lookAtHsts() {
          if (!lookAtHsts(current)) return
          log.info('HSTS changed', { header: current.hsts?.header()?.value ?? 'none' })
          deps.onHsts()
        },
      })
    },
    close: () => watch?.close(),
  }

  function describe(): CertificatesStatus | undefined {
    const { certificates } = current
    return certificates && describeCertificates(certificates, deps.issues(), clock.now())
  }
}

/** Everything that HSTS depends on beside the certificates. */
function hstsKey({ config }: ServedCertificatesSettings): string {
  return JSON.stringify([config.tls.hsts, config.tls.on_demand, config.trusted_proxies.length > 0, config.state_dir])
}
