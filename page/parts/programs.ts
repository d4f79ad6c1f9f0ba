import { html } from 'htm/preact'
import type { ProgramRow } from '../../supervisor/dashboard/sections.ts'
import { formatBytes, formatLatency, formatNumber, formatShare, formatSpan, formatTime } from '../format.ts'
import type { Rates, State } from '../state.ts'
import type { Act } from './confirm.ts'

interface TableProps {
  rows: readonly ProgramRow[]
  rates: State['rates']
  at: number
  limit: number | undefined
  act: Act | undefined
  label: string
  isServing: boolean
}

/** Apps with their workers. */
export function Apps({ state, act }: { state: State; act: Act | undefined }) {
  const { apps, workers, container } = state.sections
  if (apps.length === 0)
    return html`<section aria-labelledby="apps"><div class="head"><h2 id="apps">Apps</h2></div><p class="empty">No app: all routes lead to files, upstreams, redirects or fixed responses.</p></section>`
  return apps.map(app => {
    const rows = workers.filter(({ name }) => name.replace(/\.\d+$/, '') === app.name)
    const serving = rows.filter(row => row.state === 'serving').length
    return html`<section aria-labelledby="app-${app.name}" key=${app.name}>
      <div class="head">
        <h2 id="app-${app.name}">App ${app.name}</h2>
        <p class="note">${rows.some(({ state }) => state === 'asleep') ? 'Asleep until the next request' : `${serving} of ${rows.length} workers serve`}${app.min === undefined ? '' : `, scaled by load from ${app.min} to ${app.max}`}</p>
        ${
          act &&
          html`<div class="buttons">
          <button type="button" aria-label="One worker less for ${app.name}" disabled=${rows.length <= Math.max(1, app.min ?? 1)} onClick=${() => act(scaling(app.name, rows.length - 1))}>−</button>
          <button type="button" aria-label="One worker more for ${app.name}" disabled=${rows.length >= (app.max ?? 1024)} onClick=${() => act(scaling(app.name, rows.length + 1))}>+</button>
          <button type="button" onClick=${() => act({ title: `Restart ${app.name}?`, text: 'Its workers are replaced one by one. No request fails.', verb: 'Restart', path: `restart/${app.name}` })}>Restart all</button>
        </div>`
        }
      </div>
      <${Programs} rows=${rows} rates=${state.rates} at=${state.at} limit=${container?.memoryLimit} act=${act} label="Workers of ${app.name}" isServing=${true} />
    </section>`
  })
}

function scaling(app: string, workers: number) {
  const text = 'It is this number until the next reload.'
  return {
    title: `Scale ${app} to ${workers} worker${workers === 1 ? '' : 's'}?`,
    text,
    verb: 'Scale',
    path: `scale/${workers}?app=${app}`,
  }
}

/** Background processes. */
export function Processes({ state, act }: { state: State; act: Act | undefined }) {
  const { processes, container } = state.sections
  if (processes.length === 0) return null
  return html`<section aria-labelledby="processes">
    <div class="head"><h2 id="processes">Processes</h2></div>
    <${Programs} rows=${processes} rates=${state.rates} at=${state.at} limit=${container?.memoryLimit} act=${act} label="Processes" isServing=${false} />
  </section>`
}

function Programs({ rows, rates, at, limit, act, label, isServing }: TableProps) {
  return html`<div class="table"><table aria-label=${label} class="programs">
    <thead><tr>
      <th scope="col">Name</th><th scope="col">State</th><th scope="col" class="n">PID</th><th scope="col" class="n">Up</th>
      <th scope="col" class="n">Memory</th><th scope="col" class="n">CPU</th>
      ${isServing && html`<th scope="col" class="n">Event loop</th><th scope="col" class="n">Requests/s</th><th scope="col" class="n">In flight</th><th scope="col" class="n">Queue</th>`}
      <th scope="col" class="n">Crashes</th><th scope="col" class="n">Replaced</th>
      ${act && html`<th scope="col"><span class="hidden">Actions</span></th>`}
    </tr></thead>
    ${rows.map(row => html`<${Program} key=${row.name} row=${row} rate=${rates[row.name]} at=${at} limit=${row.memoryLimit ?? limit} act=${act} isServing=${isServing} />`)}
  </table></div>`
}

interface ProgramProps {
  row: ProgramRow
  rate: Rates | undefined
  at: number
  limit: number | undefined
  act: Act | undefined
  isServing: boolean
}

function Program({ row, rate, at, limit, act, isServing }: ProgramProps) {
  const {
    name,
    state,
    pid,
    uptimeSeconds,
    usage,
    requests,
    crashes,
    replacements,
    lastDeath,
    isInRotation,
    waitsFor,
    health,
  } = row
  const oldest = requests?.oldest
  const columns = (isServing ? 12 : 8) + (act ? 1 : 0)
  return html`<tbody>
    <tr>
      <th scope="row">${name}</th>
      <td data-label="State"><span class="state ${toneOfState(state)}">${state}</span>${isInRotation === false && state === 'serving' ? html` <small>not in nginx</small>` : ''}${waitsFor && html` <small>waits for ${waitsFor.join(', ')}</small>`}${health && health.failures > 0 ? html` <small title=${health.problem ?? ''}>${health.failures} of ${health.limit} checks failed</small>` : ''}</td>
      <td data-label="PID" class="n">${pid ?? '–'}</td>
      <td data-label="Up" class="n">${formatSpan(uptimeSeconds)}</td>
      <td data-label="Memory" class="n">${formatBytes(usage?.rss)}${usage?.rss !== undefined && limit !== undefined && html`<meter min="0" max=${limit} high=${limit * 0.85} value=${usage.rss} title="of ${formatBytes(limit)}" aria-label="Memory of ${name}: ${formatBytes(usage.rss)} of ${formatBytes(limit)}"></meter>`}</td>
      <td data-label="CPU" class="n">${formatShare(rate?.cpu)}</td>
      ${
        isServing &&
        html`<td data-label="Event loop" class="n">${usage?.loopDelay === undefined ? '–' : formatLatency(usage.loopDelay)}${usage?.loopUse !== undefined && html` <small>${formatShare(usage.loopUse)}</small>`}</td>
      <td data-label="Requests/s" class="n" title=${requests ? `${requests.total} in all` : ''}>${formatNumber(rate?.requests)}</td>
      <td data-label="In flight" class="n">${requests?.inFlight ?? '–'}</td>
      <td data-label="Queue" class="n">${usage?.queue ?? '–'}</td>`
      }
      <td data-label="Crashes" class="n ${crashes > 0 ? 'text-bad' : ''}">${crashes}</td>
      <td data-label="Replaced" class="n">${replacements}</td>
      ${act && html`<td class="act"><button type="button" aria-label="Restart ${name}" onClick=${() => act({ title: `Restart ${name}?`, text: isServing ? 'A new worker is ready before the old one ends. No request fails.' : 'It is stopped, then started again.', verb: 'Restart', path: `restart/${name}` })}>Restart</button></td>`}
    </tr>
    ${oldest && oldest.ageSeconds >= 1 ? html`<tr class="more"><td colspan=${columns}>Oldest request in flight: <code>${oldest.method} ${oldest.path}</code> for <b>${formatSpan(oldest.ageSeconds)}</b></td></tr>` : ''}
    ${lastDeath && html`<tr class="more"><td colspan=${columns}><span class="text-bad">Died</span> <time datetime=${lastDeath.at}>${formatTime(lastDeath.at, at)}</time>: ${[lastDeath.exit, lastDeath.reason].filter(Boolean).join(': ')}${lastDeath.line && html` <code>${lastDeath.line}</code>`}${lastDeath.requests.length > 0 && html` <small>in flight: ${lastDeath.requests.join(', ')}</small>`}</td></tr>`}
  </tbody>`
}

/** Tone of a state of a worker, process or server, for its colour. */
export function toneOfState(state: string): 'ok' | 'warn' | 'bad' | 'off' {
  if (['serving', 'running', 'up', 'finished'].includes(state)) return 'ok'
  if (['waiting', 'failed', 'withdrawn', 'down', 'not found', 'not accepting'].includes(state)) return 'bad'
  return ['unchecked', 'idle', 'asleep', 'stopped'].includes(state) ? 'off' : 'warn'
}
