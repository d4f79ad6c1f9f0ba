import { html } from 'htm/preact'
import type { JobRow } from '../../supervisor/dashboard/sections.ts'
import { formatTime } from '../format.ts'
import type { Act } from './confirm.ts'

/** Jobs with their last and their next run. */
export function Jobs({ jobs, at, act }: { jobs: readonly JobRow[]; at: number; act: Act | undefined }) {
  if (jobs.length === 0) return null
  return html`<section aria-labelledby="jobs">
    <div class="head"><h2 id="jobs">Jobs</h2></div>
    <div class="table"><table aria-label="Jobs">
      <thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Schedule</th><th scope="col">Last run</th><th scope="col">Next run</th><th scope="col" class="n">Missed</th>${act && html`<th scope="col"><span class="hidden">Actions</span></th>`}</tr></thead>
      <tbody>${jobs.map(
        job => html`<tr>
        <th scope="row">${job.name}</th>
        <td data-label="State"><span class="state ${tones[job.state] ?? 'off'}">${job.isPaused && job.state !== 'paused' ? `${job.state}, paused` : job.state}</span></td>
        <td data-label="Schedule"><code>${job.schedule}</code> <small>${job.timezone}</small></td>
        <td data-label="Last run">${job.last ? html`<span class=${['success', 'running'].includes(job.last.result) ? '' : 'text-bad'}>${job.last.result}</span> <small>${formatTime(job.last.startedAt, at)}</small>` : 'none yet'}</td>
        <td data-label="Next run">${job.nextAt === undefined ? '–' : formatTime(job.nextAt, at)}</td>
        <td data-label="Missed" class="n ${job.missed > 0 ? 'text-bad' : ''}">${job.missed}</td>
        ${act && html`<td class="act"><button type="button" aria-label="Run ${job.name}" disabled=${job.state === 'running'} onClick=${() => act({ title: `Run ${job.name} now?`, text: 'Its schedule stays as it is.', verb: 'Run', path: `jobs/${job.name}/run` })}>Run</button></td>`}
      </tr>`,
      )}</tbody>
    </table></div>
  </section>`
}

const tones: Record<string, string> = { running: 'ok', waiting: 'ok', retrying: 'bad', paused: 'warn' }
