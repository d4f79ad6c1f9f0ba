import { html } from 'htm/preact'
import type { ReplicasSection } from '../../supervisor/dashboard/sections.ts'
import { formatSpan, formatTime } from '../format.ts'

/** Instances with the same shared state, with their last events. */
export function Replicas({ replicas, at }: { replicas: ReplicasSection; at: number }) {
  const { rows, all, ready, problem } = replicas
  return html`<section aria-labelledby="replicas">
    <div class="head">
      <h2 id="replicas">Replicas</h2>
      <p class="note">${all > 0 ? `${ready} of ${all} are ready${all > rows.length ? `, ${rows.length} shown` : ''}` : 'Not known yet'}${problem === undefined ? '' : html`, <span class="text-bad">the shared state is unavailable: ${problem}</span>`}</p>
    </div>
    ${
      rows.length > 0 &&
      html`<div class="table"><table aria-label="Replicas">
      <thead><tr><th scope="col">Host</th><th scope="col">Instance</th><th scope="col">State</th><th scope="col">Workers</th><th scope="col">Version</th><th scope="col" class="n">Up</th><th scope="col">Seen</th></tr></thead>
      ${rows.map(
        row => html`<tbody key=${row.id}><tr>
        <th scope="row">${row.host}</th>
        <td data-label="Instance"><code>${row.instance}</code>${row.isThis && html` <small>this one</small>`}</td>
        <td data-label="State"><span class="state ${tones[row.state] ?? 'warn'}">${row.state}</span></td>
        <td data-label="Workers">${row.workers.ready} of ${row.workers.all} ready</td>
        <td data-label="Version">${row.version}</td>
        <td data-label="Up" class="n">${row.startedAt === '' ? '–' : formatSpan((at - Date.parse(row.startedAt)) / 1000)}</td>
        <td data-label="Seen"><time datetime=${row.seenAt}>${formatTime(row.seenAt, at)}</time></td>
      </tr>
      ${
        row.events.length > 0 &&
        html`<tr class="more"><td colspan="7">${row.events
          .toReversed()
          .map(
            ({ time, message, subject }) =>
              html`<span class="event"><time datetime=${time}>${formatTime(time, at)}</time> <b>${subject ?? ''}</b> ${message}</span>`,
          )}</td></tr>`
      }</tbody>`,
      )}
    </table></div>`
    }
  </section>`
}

const tones: Record<string, string> = { ready: 'ok', 'not ready': 'bad', stopping: 'warn', gone: 'bad' }
