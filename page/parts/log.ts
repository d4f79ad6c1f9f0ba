import { html } from 'htm/preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { LogLine } from '../state.ts'

const levels = ['debug', 'info', 'warn', 'error']
const shown = 300

/** Live end of the log, by source, level and text. */
export function LogTail({ logs, notes }: { logs: readonly LogLine[]; notes: readonly string[] }) {
  const [source, setSource] = useState('')
  const [level, setLevel] = useState('debug')
  const [text, setText] = useState('')
  const [follows, setFollows] = useState(true)
  const [held, setHeld] = useState<readonly LogLine[]>([])
  const list = useRef<HTMLDivElement>(null)
  const all = follows ? logs : held
  const sources = useMemo(() => [...new Set(logs.map(line => line.source))].sort(), [logs])
  const found = useMemo(() => {
    const wanted = text.toLowerCase()
    return all
      .filter(
        line =>
          (source === '' || line.source === source) &&
          levels.indexOf(line.level) >= levels.indexOf(level) &&
          (wanted === '' || line.text.toLowerCase().includes(wanted)),
      )
      .slice(-shown)
  }, [all, source, level, text])
  useEffect(() => {
    if (follows && list.current) list.current.scrollTop = list.current.scrollHeight
  }, [found, follows])
  const textOf = (event: Event) => (event.target as HTMLInputElement).value
  return html`<section aria-labelledby="log">
    <div class="head">
      <h2 id="log">Log</h2>
      <label>Source <select value=${source} onChange=${(event: Event) => setSource(textOf(event))}>
        <option value="">all</option>${sources.map(name => html`<option>${name}</option>`)}
      </select></label>
      <label>Level <select value=${level} onChange=${(event: Event) => setLevel(textOf(event))}>${levels.map(name => html`<option>${name}</option>`)}</select></label>
      <label>Text <input type="search" value=${text} onInput=${(event: Event) => setText(textOf(event))} /></label>
      <button type="button" aria-pressed=${follows} onClick=${() => {
        setHeld(logs)
        setFollows(!follows)
      }}>Follow</button>
    </div>
    ${notes.map(note => html`<p class="note">${note}</p>`)}
    <div class="list log" ref=${list} tabindex="0" role="region" aria-label="Lines of the log, the newest last">
      ${found.length === 0 ? html`<p class="empty">No lines.</p>` : html`<ol>${found.map(line => html`<li key=${line.id} class="level-${line.level}"><time datetime=${line.time}>${line.time.slice(11, 19)}</time><span class="source">${line.source}</span><span class="text">${line.text}</span></li>`)}</ol>`}
    </div>
  </section>`
}
