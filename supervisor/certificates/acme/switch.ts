import type { Change } from '../../base/change.ts'
import { messageOf } from '../../base/errors.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { Issues } from '../status.ts'
import type { RenewMode, RunningAcme } from './service.ts'
import { acmeSettingsOf } from './settings.ts'
import type { AcmeServiceDeps, AcmeServiceSettings } from './start.ts'

export interface AcmeSwitchDeps extends AcmeServiceDeps {
  /** The settings in force. */
  settings(): AcmeServiceSettings
}

/** ACME, where the configuration has it. Nothing of it is loaded without need. */
export interface AcmeSwitch {
  readonly name: string
  /** Begins to obtain certificates; rejects when it cannot. */
  begin(): Promise<void>
  issues(): Issues
  /** Renews a certificate now. It takes its time, so it is no command of the queue; only serving the result is. */
  renew(name: string, mode: RenewMode): Promise<Outcome>
  prepare(next: AcmeServiceSettings): Promise<Change | undefined>
  quiesce(): Promise<void>
}

export function createAcmeSwitch(deps: AcmeSwitchDeps): AcmeSwitch {
  const { log, settings } = deps
  let running: RunningAcme | undefined
  let isStopping = false
  let switching = Promise.resolve()

  async function start(): Promise<void> {
    const now = settings()
    const wanted = acmeSettingsOf(now.config)
    if (!wanted) return
    const { startAcme } = await import('./start.ts')
    if (!isStopping) running = startAcme(deps, now, wanted)
  }

  async function close(): Promise<void> {
    await running?.close()
    running = undefined
  }

  /** Two at the same store would order twice: the next one starts when nothing of the last one runs any more. */
  async function switchNow(): Promise<void> {
    await close()
    await start()
  }

  return {
    name: 'ACME',
    begin: start,
    issues: () => ({ issues: running?.status() ?? [], onDemand: running?.onDemand() ?? [] }),
    async renew(name, mode) {
      await switching
      if (running) return running.renew(name, mode)
      const reason = 'tls.acme is not set: mounted certificates are taken up by themselves'
      return { ok: false, message: 'nothing renewed', reason }
    },
    async prepare(next) {
      if (keyOf(next) === keyOf(settings())) return undefined
      if (acmeSettingsOf(next.config)) await import('./start.ts')
      return {
        // in the background: an order that is ended may have a command in the queue that waits for the reload
        commit() {
          switching = switching
            .then(switchNow)
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

/** Everything that ACME is started with. */
function keyOf({ config }: AcmeServiceSettings): string {
  return JSON.stringify([acmeSettingsOf(config), config.tls.on_demand, config.state_dir])
}
