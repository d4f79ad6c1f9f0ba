import { html } from 'htm/preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** Change that somebody wants to make. */
export interface Action {
  title: string
  text: string
  verb: string
  /** Path of the admin API. */
  path: string
}

/** Asks whether to do it. */
export type Act = (action: Action) => void

/** Dialog that asks before a change. */
export function Confirm({ action, close, run }: { action: Action; close: () => void; run: (action: Action) => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => dialog.current?.showModal(), [])
  return html`<dialog ref=${dialog} aria-labelledby="question" onClose=${close}>
    <h2 id="question">${action.title}</h2>
    <p>${action.text}</p>
    <form method="dialog" class="buttons" onSubmit=${(event: SubmitEvent) => {
      if ((event.submitter as HTMLButtonElement | null)?.value === 'yes') run(action)
      close()
    }}>
      <button value="no">Cancel</button>
      <button value="yes" class="primary">${action.verb}</button>
    </form>
  </dialog>`
}
