import { messageOf, OperatorError } from '../base/errors.ts'
import { stoppingReason } from '../base/stopping.ts'
import { complaintFix, nameOrigins, type RenderedNginx } from './complaint.ts'
import { createNginxMaster, type NginxMaster, type NginxMasterDeps } from './master.ts'

/** Result of nginx's own test; the output is its words, line by line. `text`: the whole configuration as nginx read it, files that it includes too; the same text, the same configuration. */
export type ConfigTest = { ok: true; warnings: string[]; text: string } | { ok: false; output: string[] }

/** The configuration on disk and the check of it; see adapters/nginx-files. */
export interface NginxFiles {
  /** Leads to the configuration in use. */
  currentDirectory: string
  stage(rendered: ReadonlyMap<string, string>): string
  /** `descriptors`: sockets that are bound already; without them nginx binds the addresses for a moment. `signal` ends it. */
  test(folder: string, descriptors: readonly number[], signal?: AbortSignal): Promise<ConfigTest>
  /** Makes it the one in use, and tells which was before. */
  promote(folder: string): string | undefined
  discard(folder: string): void
}

/** nginx with its configuration. Whatever renders, tests or reloads waits for its turn, and renders when it has it. */
export interface Nginx extends Omit<NginxMaster, 'start' | 'reload'> {
  /** Renders and tests without a trace; an OperatorError with nginx's own words when it is refused. */
  check(render: () => RenderedNginx): Promise<void>
  /** Starts; settles when nginx has workers. An OperatorError with nginx's own words when it refuses the configuration. */
  start(rendered: RenderedNginx): Promise<void>
  /**
   * Renders, tests, promotes and reloads; settles when only new nginx workers accept. It rejects when nginx does not take
   * it, and the last configuration is in use again. It reloads nothing when no file of the configuration has changed: a
   * reload closes client connections. `onTaken` is called before anybody else has a turn.
   */
  apply(render: () => RenderedNginx, onTaken?: () => void): Promise<void>
  /** `apply` for when the rendered files alone may have changed, and not the files that the user's own configuration is in. */
  follow(render: () => RenderedNginx): Promise<void>
  /** Takes note of all files that nginx was started with, so that `apply` can tell a change. */
  takeNote(): void
}

export interface NginxDeps extends Omit<NginxMasterDeps, 'configuration'> {
  files: NginxFiles
}

/** The rendered files that nginx was given last, and the whole configuration with them, as far as they are known. */
interface Given {
  rendered: string | undefined
  whole: string | undefined
}

const unknown: Given = { rendered: undefined, whole: undefined }

export function createNginx(deps: NginxDeps): Nginx {
  const { log, files } = deps
  const { start, reload, stop, ...master } = createNginxMaster({ ...deps, configuration: files.currentDirectory })
  let given = unknown
  let lastTurn: Promise<void> = Promise.resolve()
  const ending = new AbortController()
  /** Settles when no test is under way. */
  let testing: Promise<void> = Promise.resolve()

  function test(folder: string): Promise<ConfigTest> {
    const result = files.test(folder, deps.descriptors, ending.signal)
    testing = Promise.allSettled([testing, result]).then(() => {})
    return result
  }

  /** The whole configuration, as nginx read it. */
  async function expectAccepted(folder: string, rendered: RenderedNginx): Promise<string> {
    const result = await test(folder)
    if (ending.signal.aborted) throw new OperatorError(stoppingReason, { fix: 'start it again' })
    if (!result.ok) {
      throw new OperatorError(`nginx refuses the configuration: ${nameOrigins(result.output, rendered).join('\n')}`, {
        fix: complaintFix(result.output, rendered),
      })
    }
    for (const warning of nameOrigins(result.warnings, rendered)) log.warn('nginx warns', { output: warning })
    return result.text
  }

  async function stageTested(rendered: RenderedNginx): Promise<{ folder: string; whole: string }> {
    const folder = files.stage(rendered.files)
    try {
      return { folder, whole: await expectAccepted(folder, rendered) }
    } catch (error) {
      files.discard(folder)
      throw error
    }
  }

  async function applyNow(rendered: RenderedNginx): Promise<void> {
    if (ending.signal.aborted) return
    const { folder, whole } = await stageTested(rendered)
    const text = textOf(rendered)
    // pages are no part of what nginx reads at a reload
    if (whole === given.whole && text === given.rendered) {
      files.discard(folder)
      return
    }
    const former = files.promote(folder)
    given = { rendered: text, whole }
    if ((await reload()) !== 'refused') return
    // or the next master would start with what this one has refused
    if (former !== undefined) files.promote(former)
    // it may yet take the one or the other
    given = unknown
    throw new OperatorError('nginx did not take the new configuration', {
      fix: 'mend what its own message names, it stands above',
    })
  }

  function inTurn(act: () => Promise<void>): Promise<void> {
    const done = lastTurn.then(act)
    lastTurn = done.catch(() => {}) // told to whoever asked; the next one starts clean
    return done
  }

  return {
    ...master,
    check: render => inTurn(async () => files.discard((await stageTested(render())).folder)),
    async start(rendered) {
      if (ending.signal.aborted) return
      const folder = files.stage(rendered.files)
      files.promote(folder)
      given = { rendered: textOf(rendered), whole: undefined }
      if ((await start()) || ending.signal.aborted) return
      // starting is the test; asked again, it tells why
      await expectAccepted(folder, rendered)
      throw new OperatorError('nginx did not start', { fix: 'mend what its own message names, it stands above' })
    },
    apply: (render, onTaken) =>
      inTurn(async () => {
        await applyNow(render())
        onTaken?.()
      }),
    takeNote() {
      void inTurn(async () => {
        const result = await test(files.currentDirectory)
        if (result.ok) given = { ...given, whole: given.whole ?? result.text }
      }).catch(error => log.debug('cannot take note of the nginx configuration', { error: messageOf(error) }))
    },
    follow: render =>
      inTurn(async () => {
        const now = render()
        if (textOf(now) !== given.rendered) await applyNow(now)
      }),
    async stop(mode, graceMs) {
      ending.abort()
      await testing
      await stop(mode, graceMs)
    },
  }
}

function textOf({ files }: RenderedNginx): string {
  return [...files].flat().join('\n')
}
