import type { Change } from '../../base/change.ts'
import { messageOf } from '../../base/errors.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { Issuance } from '../status.ts'
import type { RenewMode, RunningAcme } from './service.ts'
import { acmeSettingsOf } from './settings.ts'
import type { AcmeServiceDeps, AcmeServiceSettings } from './start.ts'

/** Dependencies of the switch. */
export interface AcmeSwitchDeps extends AcmeServiceDeps {
  /** Settings in force. */
  settings(): AcmeServiceSettings
}

/** ACME service that runs while the configuration has `tls.acme`. Its code is loaded only then. */
export interface AcmeSwitch {
  readonly name: string
  /** Starts to obtain certificates. Rejects if it cannot start. */
  begin(): Promise<void>
  /** Certificates that a CA issues. */
  issuance(): Issuance
  /** Renews a certificate. It can take minutes, so it does not block the command queue; only serving the result is a command. */
  renew(name: string, mode: RenewMode): Promise<Outcome>
  /** Reason why other instances should get the requests; undefined if there is none. */
  unready(): string | undefined
  prepare(next: AcmeServiceSettings): Promise<Change | undefined>
  quiesce(): Promise<void>
}

/** Creates the switch; `begin` starts it. */
export function createAcmeSwitch(deps: AcmeSwitchDeps): AcmeSwitch {
  const { log, settings } = deps
  let running: RunningAcme | undefined
  let isStopping = false
  let isWaiting = deps.sharedState !== undefined && acmeSettingsOf(settings().config) !== undefined
  let switching = Promise.resolve()

  async function start(): Promise<void> {
    const now = settings()
    const wanted = acmeSettingsOf(now.config)
    if (!wanted) return
    const { startAcme } = await import('./start.ts')
    if (isStopping) return
    running = startAcme(deps, now, wanted)
    void running.begun.finally(() => {
      isWaiting = false
    })
  }

  async function close(): Promise<void> {
    await running?.close()
    running = undefined
  }

  /** Starts the new service only after the old one has stopped: two services with the same store would place every order twice. */
  async function restart(): Promise<void> {
    await close()
    await start()
  }

  return {
    name: 'ACME',
    begin: start,
    issuance: () => ({ planned: running?.status() ?? [], onDemand: running?.onDemand() ?? [] }),
    async renew(name, mode) {
      await switching
      if (running) return running.renew(name, mode)
      const reason = 'tls.acme is not set; changed files in cert_dir are loaded automatically'
      return { ok: false, message: 'nothing renewed', reason }
    },
    unready: () => (isWaiting ? 'the shared certificates are being read' : undefined),
    async prepare(next) {
      // the user may have corrected what the last attempt failed for, such as the program of dns_hook
      if (keyOf(next) === keyOf(settings())) return { commit: () => running?.retry() }
      if (acmeSettingsOf(next.config)) await import('./start.ts')
      return {
        // in the background: a command of an aborted order may be in the queue, waiting for this reload
        commit() {
          switching = switching
            .then(restart)
            .catch((error: unknown) => log.error('cannot start ACME', { error: messageOf(error) }))
        },
      }
    },
    quiesce() {
      isStopping = true
      return switching.then(close)
    },
  }
}

/** Settings of the ACME service, as text to compare. */
function keyOf({ config }: AcmeServiceSettings): string {
  return JSON.stringify([acmeSettingsOf(config), config.tls.on_demand, config.state_dir])
}
