import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import { formatTime } from '../format.ts'
import type { RunEvent } from '../state.ts'

const shown = 100

interface EventsProps {
  events: readonly RunEvent[]
  at: number
  /** Reads the record of a death. */
  readDeath: (id: number) => Promise<unknown>
}

/** Events, the newest first. */
export function Events({ events, at, readDeath }: EventsProps) {
  const [kind, setKind] = useState('')
  const kinds = [...new Set(events.map(event => event.kind))].sort()
  const found = events
    .filter(event => kind === '' || event.kind === kind)
    .slice(-shown)
    .reverse()
  return html`<section aria-labelledby="events">
    <div class="head">
      <h2 id="events">Events</h2>
      <label>Kind <select value=${kind} onChange=${(event: Event) => setKind((event.target as HTMLSelectElement).value)}>
        <option value="">all</option>${kinds.map(name => html`<option>${name}</option>`)}
      </select></label>
    </div>
    <div class="list" tabindex="0" role="region" aria-label="Events, the newest first">
      ${found.length === 0 ? html`<p class="empty">No events yet.</p>` : html`<ol>${found.map(event => html`<${EventLine} key=${event.id} event=${event} at=${at} readDeath=${readDeath} />`)}</ol>`}
    </div>
  </section>`
}

function EventLine({ event, at, readDeath }: { event: RunEvent; at: number; readDeath: EventsProps['readDeath'] }) {
  const [death, setDeath] = useState<string | undefined>(undefined)
  const { death: id, ...fields } = event.fields
  const detail = Object.entries(fields)
    .filter(([, value]) => value !== event.subject)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
  const show = async () => {
    if (death !== undefined) return setDeath(undefined)
    setDeath(await readDeath(Number(id)).then(describeDeath, (error: Error) => error.message))
  }
  return html`<li class="level-${event.level}">
    <time datetime=${event.time}>${formatTime(event.time, at)}</time>
    <span class="chip">${event.kind}</span>
    <span class="text"><b>${event.subject ?? ''}</b> ${event.message} <small>${detail}</small>
    ${id !== undefined && html` <button type="button" class="link" aria-expanded=${death !== undefined} onClick=${show}>last lines</button>`}
    ${death !== undefined && html`<pre tabindex="0">${death}</pre>`}</span>
  </li>`
}

function describeDeath(record: unknown): string {
  const {
    exit,
    reason,
    lines = [],
    requests = [],
  }: { exit?: string; reason?: string; lines?: string[]; requests?: string[] } = Object(record)
  return [
    [exit, reason].filter(Boolean).join(': '),
    ...requests.map(request => `in flight: ${request}`),
    '',
    ...(lines.length > 0 ? lines : ['it printed nothing']),
  ].join('\n')
}
