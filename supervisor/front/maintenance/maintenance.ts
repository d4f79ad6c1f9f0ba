import { messageOf } from '../../base/errors.ts'
import { gauge, type Metric } from '../../base/metrics.ts'
import { prefixOf } from '../../base/network.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { Runtime } from '../../base/runtime.ts'
import { maintenancePages } from './page.ts'

/** Longest message on the page, in characters. */
const longestMessage = 1000

/** Maintenance in force. */
export interface MaintenanceStatus {
  /** When it was turned on, as an ISO date. */
  since: string
  /** Addresses and networks whose clients are let in. */
  allow: readonly string[]
  message?: string | undefined
}

/** Files of maintenance; see adapters/files. */
export interface MaintenanceFiles {
  /** Path of the state that survives a restart. */
  record: string
  readRecord(): string | undefined
  /** Undefined: removes it. */
  writeRecord(text: string | undefined): void
  writePages(pages: { html: string; json: string }): void
  /** Closes the site at once. `letIn`: a line for each network, its width and its leading bits. */
  close(letIn: string): void
  /** Opens the site at once. */
  open(): void
}

/** Settings that the page depends on. */
interface PageSettings {
  maintenancePage: string | undefined
}

/** Dependencies of maintenance. */
export interface MaintenanceDeps extends Pick<Runtime, 'clock' | 'log'> {
  files: MaintenanceFiles
  settings(): PageSettings
  /** Whether nginx can tell clients apart: it needs Lua. */
  hasLua: boolean
  isNetwork(text: string): boolean
}

/** What `monohull maintenance on` gives. */
export interface MaintenanceOptions {
  allow: readonly string[]
  message: string | undefined
}

/** Maintenance as a subject of a run: nginx responds with 503, without a reload. */
export interface Maintenance {
  readonly name: string
  turnOn(options: MaintenanceOptions): Outcome
  turnOff(): Outcome
  /** Takes over what another instance has switched. */
  adopt(state: MaintenanceStatus | undefined): void
  prepare(next: PageSettings): Promise<{ commit(): void } | undefined>
  status(): { maintenance?: MaintenanceStatus }
  warnings(): string[]
  metrics(): Metric[]
}

/** Opens maintenance in the state in which the last run left it. Call it before nginx starts. */
export function openMaintenance({ files, settings, hasLua, isNetwork, clock, log }: MaintenanceDeps): Maintenance {
  let inForce = readState()
  if (inForce) {
    close(inForce)
    log.warn('maintenance is still on: clients get 503', { since: inForce.since, fix: 'monohull maintenance off' })
  } else files.open()

  function readState(): MaintenanceStatus | undefined {
    try {
      const text = files.readRecord()
      return text === undefined ? undefined : parseState(text)
    } catch (error) {
      log.warn('cannot read whether maintenance was on; it is off', { file: files.record, error: messageOf(error) })
      return undefined
    }
  }

  function close(state: MaintenanceStatus): void {
    files.writePages(maintenancePages({ message: state.message, own: settings().maintenancePage }))
    files.close(state.allow.map(network => `${linesOf(network)}\n`).join(''))
  }

  /** Reason why the state does not survive a restart; undefined if it does. */
  function keep(text: string | undefined): string | undefined {
    try {
      files.writeRecord(text)
      return undefined
    } catch (error) {
      return `${files.record}: ${messageOf(error)}`
    }
  }

  return {
    name: 'maintenance',
    turnOn({ allow, message }) {
      const refused = (reason: string): Outcome => ({ ok: false, message: 'cannot turn maintenance on', reason })
      const unknown = allow.find(network => !isNetwork(network))
      if (unknown !== undefined)
        return refused(`--allow: ${unknown} is not an address or a network such as 10.0.0.0/8 or ::1`)
      if (allow.length > 0 && !hasLua)
        return refused(
          '--allow: nginx has no Lua to tell clients apart; install libnginx-mod-http-lua, or leave it out',
        )
      if ((message?.length ?? 0) > longestMessage)
        return refused(`--message: is longer than ${longestMessage} characters; put a page into maintenance_page`)
      const since = inForce?.since ?? new Date(clock.now()).toISOString()
      const state = { since, allow, ...(message ? { message } : {}) }
      try {
        close(state)
      } catch (error) {
        return refused(messageOf(error))
      }
      inForce = state
      const lost = keep(`${JSON.stringify(state)}\n`)
      log.warn('maintenance is on: clients get 503', {
        allow: allow.join(',') || undefined,
        message,
        until_restart: lost === undefined ? undefined : lost,
      })
      const admitted = allow.length === 0 ? '' : `, except ${allow.join(', ')}`
      const until = lost === undefined ? '' : `\n  until the next restart: cannot keep it in ${lost}`
      return { ok: true, message: `maintenance is on: clients get 503${admitted}${until}` }
    },
    turnOff() {
      try {
        files.open()
      } catch (error) {
        return { ok: false, message: 'cannot turn maintenance off', reason: messageOf(error) }
      }
      const was = inForce
      inForce = undefined
      const left = keep(undefined)
      if (was) log.info('maintenance is off', { since: was.since })
      if (left !== undefined)
        return { ok: false, message: 'maintenance is off, but a restart turns it on again', reason: left }
      return { ok: true, message: was ? 'maintenance is off' : 'maintenance was off already' }
    },
    adopt(state) {
      if (state) close(state)
      else files.open()
      inForce = state
      const lost = keep(state && `${JSON.stringify(state)}\n`)
      const fields = { until_restart: lost }
      if (state)
        log.warn('maintenance is on, as in another instance: clients get 503', { since: state.since, ...fields })
      else log.info('maintenance is off, as in another instance', fields)
    },
    async prepare(next) {
      const state = inForce
      if (!state || next.maintenancePage === settings().maintenancePage) return undefined
      return { commit: () => close(inForce ?? state) }
    },
    status: () => (inForce ? { maintenance: inForce } : {}),
    warnings: () =>
      inForce ? [`maintenance is on since ${inForce.since}: clients get 503; monohull maintenance off ends it`] : [],
    metrics: () => [gauge('maintenance', 'Whether maintenance is on', inForce ? 1 : 0)],
  }
}

function linesOf(network: string): string {
  const { width, prefix } = prefixOf(network)
  return `${width} ${prefix}`
}

/** State that a text contains. Throws unless it is one. */
export function parseState(text: string): MaintenanceStatus {
  const { since, allow, message } = JSON.parse(text) as Partial<MaintenanceStatus>
  if (typeof since !== 'string' || !Array.isArray(allow)) throw new Error('it is not the state of maintenance')
  return { since, allow, ...(typeof message === 'string' ? { message } : {}) }
}
