import { html } from 'htm/preact'
import { useState } from 'preact/hooks'

/** Form for the token. */
export function TokenForm({ reason, submit }: { reason: string | undefined; submit: (token: string) => void }) {
  const [token, setToken] = useState('')
  return html`<main class="gate"><form onSubmit=${(event: Event) => {
    event.preventDefault()
    submit(token.trim())
  }}>
    <h1>Monohull</h1>
    <label>Token <input type="password" autocomplete="current-password" required value=${token} onInput=${(event: Event) => setToken((event.target as HTMLInputElement).value)} /></label>
    ${reason && html`<p class="text-bad" role="alert">${reason}</p>`}
    <p class="note">The value of <code>admin.token</code> in the configuration, or of <code>MONOHULL_ADMIN_TOKEN</code>.</p>
    <button class="primary">Open</button>
  </form></main>`
}
