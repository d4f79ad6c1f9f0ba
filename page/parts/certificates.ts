import { html } from 'htm/preact'
import type { Sections } from '../../supervisor/dashboard/sections.ts'
import { daysUntil, formatTime } from '../format.ts'
import type { Act } from './confirm.ts'

const fewDays = 14

/** Certificates with the days left and their next renewal. */
export function Certificates({
  certificates,
  at,
  act,
}: {
  certificates: NonNullable<Sections['certificates']>
  at: number
  act: Act | undefined
}) {
  const { served, awaited, problems } = certificates
  return html`<section aria-labelledby="certificates">
    <div class="head"><h2 id="certificates">Certificates</h2></div>
    <div class="table"><table aria-label="Certificates">
      <thead><tr><th scope="col">Names</th><th scope="col">Source</th><th scope="col">Expires</th><th scope="col">Next renewal</th>${act && html`<th scope="col"><span class="hidden">Actions</span></th>`}</tr></thead>
      <tbody>${served.map(one => {
        const days = daysUntil(one.notAfter, at)
        const whole = Math.max(1, daysUntil(one.notAfter, Date.parse(one.notBefore)))
        const tone = days < 3 ? 'bad' : days < fewDays && !one.renewal?.at ? 'warn' : 'ok'
        return html`<tr>
          <th scope="row">${one.names.join(', ') || '–'}</th>
          <td data-label="Source">${one.source} <small>${one.issuer.replace(/^.*?CN=/, '')}</small></td>
          <td data-label="Expires"><span class="state ${tone}">${days < 0 ? 'expired' : `${days} days left`}</span><meter min="0" max=${whole} value=${Math.max(0, days)} aria-label="${days} of ${whole} days left"></meter> <small>${one.notAfter.slice(0, 10)}</small></td>
          <td data-label="Next renewal">${one.renewal ? html`${one.renewal.at ? formatTime(one.renewal.at, at) : ''} <small>${one.renewal.why}</small>${one.renewal.lastError && html`<br /><span class="text-bad">${one.renewal.lastError}</span>`}` : 'by whoever mounts it'}</td>
          ${act && html`<td class="act">${one.source === 'acme' || one.source === 'on-demand' ? html`<button type="button" aria-label="Renew ${one.names[0]}" onClick=${() => act({ title: `Renew the certificate for ${one.names[0]}?`, text: 'It is renewed if it is due.', verb: 'Renew', path: `certificates/${encodeURIComponent(one.names[0] ?? '')}/renew` })}>Renew</button>` : ''}</td>`}
        </tr>`
      })}</tbody>
    </table></div>
    ${
      awaited.length + problems.length > 0 &&
      html`<ul class="warnings">
      ${awaited.map(one => html`<li>awaited: ${one.name}: ${one.lastError ?? one.why}${one.at ? `, next attempt ${formatTime(one.at, at)}` : ''}</li>`)}
      ${problems.map(text => html`<li>not served: ${text}</li>`)}
    </ul>`
    }
  </section>`
}
