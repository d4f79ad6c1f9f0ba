import { html } from 'htm/preact'
import type { Sections } from '../../supervisor/dashboard/sections.ts'
import type { Connection } from '../feed.ts'
import { formatSpan, formatTime } from '../format.ts'
import type { Act } from './confirm.ts'

interface HeadProps {
  sections: Sections
  at: number
  connection: Connection
  act: Act | undefined
}

/** Tone of a state, for its colour. */
export function toneOf(run: Sections['run'] | undefined, connection: Connection): 'ok' | 'warn' | 'bad' | 'off' {
  if (!run || (connection !== 'open' && connection !== 'connecting')) return 'off'
  if (run.state === 'ready') return run.warnings.length > 0 ? 'warn' : 'ok'
  return run.state === 'stopping' ? 'warn' : 'bad'
}

/** Readiness, version, uptime, the last reload and what needs attention. */
export function Head({ sections, at, connection, act }: HeadProps) {
  const { run, maintenance, pausedUntil } = sections
  const { version, state, startedAt, lastReload, warnings, configFile, http, https, oldNginxWorkers, pid } = run
  return html`<header>
    <div class="title">
      <h1>Monohull <span class="state ${toneOf(run, connection)}">${connection === 'lost' ? 'no connection' : state}</span></h1>
      ${act && html`<button type="button" onClick=${() => act({ title: 'Reload the configuration?', text: 'Monohull reads it again, tests it, and replaces the workers one by one. If it fails, nothing changes.', verb: 'Reload', path: 'reload' })}>Reload</button>`}
    </div>
    <dl class="facts">
      <div><dt>Version</dt><dd>${version}</dd></div>
      <div><dt>Up</dt><dd title="since ${startedAt}, pid ${pid}">${formatSpan((at - Date.parse(startedAt)) / 1000)}</dd></div>
      <div><dt>Last reload</dt><dd>${
        lastReload
          ? html`<span class=${lastReload.ok ? '' : 'text-bad'} title=${lastReload.text}>${lastReload.ok ? 'succeeded' : 'abandoned'} ${formatTime(lastReload.at, at)}</span>`
          : 'none'
      }</dd></div>
      <div><dt>HTTP</dt><dd>${http.join(' ') || '–'}</dd></div>
      <div><dt>HTTPS</dt><dd>${https.join(' ') || '–'}</dd></div>
      <div><dt>Configuration</dt><dd>${configFile ?? 'environment only'}</dd></div>
      ${oldNginxWorkers > 0 && html`<div><dt>nginx before the reload</dt><dd>${oldNginxWorkers} workers finish requests</dd></div>`}
    </dl>
    ${maintenance && html`<p class="notice bad">Maintenance since ${formatTime(maintenance.since, at)}: clients get 503${maintenance.allow.length > 0 ? `, except ${maintenance.allow.join(', ')}` : ''}. ${act && html`<button type="button" onClick=${() => act({ title: 'End maintenance?', text: 'Clients are served again at once.', verb: 'End', path: 'maintenance/off' })}>End</button>`}</p>`}
    ${pausedUntil && html`<p class="notice bad">Paused: requests wait until ${formatTime(pausedUntil, at)}. ${act && html`<button type="button" onClick=${() => act({ title: 'End the pause?', text: 'The requests that wait go on.', verb: 'Resume', path: 'resume' })}>Resume</button>`}</p>`}
    ${warnings.length > 0 && html`<ul class="warnings" aria-label="Warnings">${warnings.map(text => html`<li>${text}</li>`)}</ul>`}
  </header>`
}
