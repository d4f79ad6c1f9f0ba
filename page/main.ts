import { html, render } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type Connection, connectFeed, type FeedConnection } from './feed.ts'
import { showIcon } from './icon.ts'
import { Certificates } from './parts/certificates.ts'
import { type Action, Confirm } from './parts/confirm.ts'
import { Container } from './parts/container.ts'
import { Events } from './parts/events.ts'
import { Head, toneOf } from './parts/head.ts'
import { Jobs } from './parts/jobs.ts'
import { LogTail } from './parts/log.ts'
import { Apps, Processes } from './parts/programs.ts'
import { Replicas } from './parts/replicas.ts'
import { Routing } from './parts/routing.ts'
import { Tiles } from './parts/tiles.ts'
import { TokenForm } from './parts/token.ts'
import { applyMessage, type State } from './state.ts'

const noticeMs = 8000

function Page() {
  const [state, setState] = useState<State | undefined>(undefined)
  const [connection, setConnection] = useState<{ kind: Connection; reason?: string | undefined }>({
    kind: 'connecting',
  })
  const [action, setAction] = useState<Action | undefined>(undefined)
  const [notice, setNotice] = useState<{ isBad: boolean; text: string } | undefined>(undefined)
  const feed = useRef<FeedConnection | undefined>(undefined)

  useEffect(() => {
    feed.current = connectFeed({
      onMessage: message => setState(before => applyMessage(before, message)),
      onConnection: (kind, reason) => setConnection({ kind, reason }),
    })
  }, [])
  useEffect(() => {
    if (!notice) return
    const timer = setTimeout(() => setNotice(undefined), noticeMs)
    return () => clearTimeout(timer)
  }, [notice])

  const run = state?.sections.run
  const tone = toneOf(run, connection.kind)
  useEffect(() => {
    showIcon(tone)
    document.title = run ? `${connection.kind === 'lost' ? 'no connection' : run.state} · Monohull` : 'Monohull'
  }, [tone, run?.state, connection.kind])

  if (connection.kind === 'token needed')
    return html`<${TokenForm} reason=${connection.reason} submit=${(token: string) => feed.current?.setToken(token)} />`
  if (connection.kind === 'refused')
    return html`<main class="gate"><h1>Monohull</h1><p role="alert">${connection.reason}</p></main>`
  if (!state || !run)
    return html`<main class="gate"><h1>Monohull</h1><p role="status">${connection.reason ?? 'Connecting…'}</p></main>`

  const perform = async ({ verb, path }: Action) => {
    setNotice({ isBad: false, text: `${verb}…` })
    try {
      const outcome = await feed.current?.send('POST', path)
      setNotice({ isBad: false, text: String(Object(outcome).message) })
    } catch (error) {
      setNotice({ isBad: true, text: error instanceof Error ? error.message : String(error) })
    }
  }
  const act = run.actions ? setAction : undefined
  const { sections, at } = state
  return html`
    <${Head} sections=${sections} at=${at} connection=${connection.kind} act=${act} />
    <div role="status" class="notices">
      ${connection.kind === 'lost' && html`<p class="notice bad">No connection: ${connection.reason}. What you see is of ${new Date(at).toLocaleTimeString('en-GB')}. Trying again…</p>`}
      ${notice && html`<p class="notice ${notice.isBad ? 'bad' : ''}">${notice.text}</p>`}
    </div>
    <main>
      <${Tiles} state=${state} />
      <${Apps} state=${state} act=${act} />
      <${Processes} state=${state} act=${act} />
      <${Jobs} jobs=${sections.jobs} at=${at} act=${act} />
      ${sections.replicas && html`<${Replicas} replicas=${sections.replicas} at=${at} />`}
      <${Routing} sections=${sections} />
      ${sections.certificates && html`<${Certificates} certificates=${sections.certificates} at=${at} act=${act} />`}
      <${Events} events=${state.events} at=${at} readDeath=${(id: number) => feed.current?.send('GET', `deaths/${id}`)} />
      <${LogTail} logs=${state.logs} notes=${run.missingLines} />
      <${Container} container=${sections.container} />
    </main>
    <footer>${run.actions ? 'Changes need the token.' : html`Read-only. <code>admin.actions: true</code> with a token adds buttons.`}</footer>
    ${action && html`<${Confirm} action=${action} close=${() => setAction(shown => (shown === action ? undefined : shown))} run=${perform} />`}`
}

const root = document.getElementById('page')
if (root) render(html`<${Page} />`, root)
