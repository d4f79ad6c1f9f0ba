import { html } from 'htm/preact'
import type { RouteRow, Sections } from '../../supervisor/dashboard/sections.ts'
import { formatSpan } from '../format.ts'
import { toneOfState } from './programs.ts'

/** Routes with what they lead to, servers of upstreams, and dynamic routes. */
export function Routing({ sections }: { sections: Sections }) {
  const { routes, upstreams, dynamicRoutes } = sections
  return html`<section aria-labelledby="routes">
    <div class="head"><h2 id="routes">Routes</h2>${dynamicRoutes && html`<p class="note">${dynamicRoutes.routes} dynamic routes${dynamicRoutes.isPartial ? ' in use' : ''}${dynamicRoutes.problem === undefined ? '' : html`, <span class="text-bad">the store cannot be read: ${dynamicRoutes.problem}</span>`}</p>`}</div>
    <div class="table"><table aria-label="Routes">
      <thead><tr><th scope="col">Host</th><th scope="col">Path</th><th scope="col">Passes</th><th scope="col">Target</th><th scope="col">Reaches</th></tr></thead>
      <tbody>${routes.map(
        route => html`<tr>
        <th scope="row">${route.host ?? 'any'}</th>
        <td data-label="Path"><code>${route.path}</code>${route.match === 'prefix' ? '' : html` <small>${route.match}</small>`}</td>
        <td data-label="Passes">${route.guards.length === 0 ? '–' : route.guards.map(guard => html`<span class="chip">${guard}</span>`)}</td>
        <td data-label="Target">→ ${route.kind} <b>${route.target}</b></td>
        <td data-label="Reaches">${reach(route, sections)}</td>
      </tr>`,
      )}</tbody>
    </table></div>
    ${
      upstreams.length > 0 &&
      html`<div class="table"><table aria-label="Servers of upstreams">
      <thead><tr><th scope="col">Upstream</th><th scope="col">Server</th><th scope="col">State</th><th scope="col" class="n">For</th><th scope="col">Reason</th></tr></thead>
      <tbody>${upstreams.map(
        row => html`<tr>
        <th scope="row">${row.upstream}</th>
        <td data-label="Server">${row.server}${row.address !== undefined && row.address !== row.server ? html` <small>${row.address}</small>` : ''}</td>
        <td data-label="State"><span class="state ${toneOfState(row.state)}">${row.state}</span>${row.isInRotation ? '' : html` <small>not in nginx</small>`}</td>
        <td data-label="For" class="n">${formatSpan(row.sinceSeconds)}</td>
        <td data-label="Reason">${row.reason ?? ''}</td>
      </tr>`,
      )}</tbody>
    </table></div>`
    }
  </section>`
}

function reach({ kind, target }: RouteRow, { workers, upstreams }: Sections) {
  if (kind === 'app') {
    const own = workers.filter(({ name }) => name.replace(/\.\d+$/, '') === target)
    return counted(own.filter(({ state }) => state === 'serving').length, own.length, 'workers')
  }
  if (kind !== 'upstream') return ''
  const own = upstreams.filter(({ upstream }) => upstream === target)
  return counted(own.filter(({ state }) => toneOfState(state) !== 'bad').length, own.length, 'servers')
}

function counted(good: number, all: number, what: string) {
  return html`<span class="state ${good === all ? 'ok' : good === 0 ? 'bad' : 'warn'}">${good} of ${all} ${what}</span>`
}
