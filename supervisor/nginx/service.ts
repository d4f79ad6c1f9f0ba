import { messageOf, OperatorError, reasonOf } from '../base/errors.ts'
import { stoppingReason } from '../base/stopping.ts'
import { complaintFix, nameOrigins, type RenderedNginx } from './complaint.ts'
import { generationIn } from './generation.ts'
import { createNginxMaster, type NginxMaster, type NginxMasterDeps } from './master.ts'

/** Result of nginx's own test, with its output by line. `text` is the whole configuration as nginx read it, with all included files: equal text means equal configuration. */
export type ConfigTest = { ok: true; warnings: string[]; text: string } | { ok: false; output: string[] }

/** Configuration on disk; see adapters/files. */
export interface NginxFiles {
  /** Link to the directory of the configuration in use. */
  currentDirectory: string
  /** Writes a new configuration and returns its directory. */
  stage(rendered: ReadonlyMap<string, string>): string
  /**
   * Runs nginx's test. `descriptors` are sockets that are already bound; without them nginx binds the addresses for a moment.
   * `signal` aborts it. Throws an OperatorError if nginx cannot be run.
   */
  test(directory: string, descriptors: readonly number[], signal?: AbortSignal): Promise<ConfigTest>
  /** Puts a configuration into use and returns the previous one. If it throws, nothing has changed. */
  promote(directory: string): string | undefined
  /** Deletes a configuration that is not in use. */
  discard(directory: string): void
}

/** nginx with its configuration. Checks and reloads run one at a time; each renders when its turn comes. */
export interface Nginx extends Omit<NginxMaster, 'start' | 'reload'> {
  /** Renders and tests without side effects. Throws an OperatorError with nginx's own message if nginx rejects the configuration. */
  check(render: () => RenderedNginx): Promise<void>
  /** Starts nginx. Settles when it has workers. Throws an OperatorError with nginx's own message if nginx rejects the configuration. */
  start(rendered: RenderedNginx): Promise<void>
  /**
   * Renders, tests, promotes and reloads. Settles when only new nginx workers accept connections. If nginx does not apply the
   * configuration, the promise rejects and the last one is in use again. Does not reload if no file of the configuration has changed,
   * because a reload closes client connections. `onApplied` is called before the next turn.
   */
  apply(render: () => RenderedNginx, onApplied?: () => void): Promise<void>
  /** Like `apply`, but only looks for changes in the rendered files, not in the user's own nginx files. */
  follow(render: () => RenderedNginx): Promise<void>
  /** Records all files that nginx was started with, so that `apply` can detect changes. */
  recordFiles(): void
}

/** Dependencies of `createNginx`. */
export interface NginxDeps extends Omit<NginxMasterDeps, 'configuration'> {
  files: NginxFiles
}

/** The rendered files that nginx loaded last, and the whole configuration with them, as far as they are known. */
interface Loaded {
  rendered: string | undefined
  whole: string | undefined
}

/** Time until the next attempt to return to a configuration. */
const putBackMs = 1000

const unknown: Loaded = { rendered: undefined, whole: undefined }

/** nginx that has not been started yet. */
export function createNginx(deps: NginxDeps): Nginx {
  const { log, files } = deps
  const { start, reload, stop, ...master } = createNginxMaster({ ...deps, configuration: files.currentDirectory })
  let loaded = unknown
  /** Directory of the configuration in use. */
  let promoted: string | undefined
  /** Directory of the last good configuration, while one that nginx refused is in use because the link could not be changed back. */
  let owed: string | undefined
  let lastTurn: Promise<void> = Promise.resolve()
  const ending = new AbortController()
  /** Settles when no test is running. */
  let testing: Promise<void> = Promise.resolve()

  function test(directory: string): Promise<ConfigTest> {
    const result = files.test(directory, deps.descriptors, ending.signal)
    testing = Promise.allSettled([testing, result]).then(() => {})
    return result
  }

  /** The whole configuration as nginx read it, or an OperatorError if nginx rejects it. */
  async function expectAccepted(directory: string, rendered: RenderedNginx): Promise<string> {
    const result = await test(directory)
    if (ending.signal.aborted) throw new OperatorError(stoppingReason, { fix: 'start it again' })
    if (!result.ok) {
      throw new OperatorError(`nginx refuses the configuration: ${nameOrigins(result.output, rendered).join('\n')}`, {
        fix: complaintFix(result.output, rendered),
      })
    }
    for (const warning of nameOrigins(result.warnings, rendered)) log.warn('nginx warns', { output: warning })
    return result.text
  }

  async function stageTested(rendered: RenderedNginx): Promise<{ directory: string; whole: string }> {
    const directory = files.stage(rendered.files)
    try {
      return { directory, whole: await expectAccepted(directory, rendered) }
    } catch (error) {
      files.discard(directory)
      throw error
    }
  }

  function promoteOrDiscard(directory: string): string | undefined {
    try {
      const previous = files.promote(directory)
      promoted = directory
      return previous
    } catch (error) {
      files.discard(directory)
      throw error
    }
  }

  /** Puts the previous configuration into use again, and tries until that succeeds or another one takes its place: the next master loads it. */
  function putBack(previous: string, refused: string): void {
    owed = previous
    try {
      files.promote(previous)
    } catch (error) {
      log.error('cannot return to the previous nginx configuration, trying again', { reason: reasonOf(error) })
      deps.clock.after(putBackMs, () => void inTurn(async () => tryAgain()))
      return
    }
    promoted = previous
    owed = undefined

    function tryAgain(): void {
      if (promoted === refused && !ending.signal.aborted) putBack(previous, refused)
    }
  }

  async function applyNow(rendered: RenderedNginx): Promise<void> {
    if (ending.signal.aborted) return
    const { directory, whole } = await stageTested(rendered)
    const text = textOf(rendered)
    // error pages are not part of the configuration that nginx reads on a reload
    if (whole === loaded.whole && text === loaded.rendered) {
      files.discard(directory)
      return
    }
    const before = loaded
    const replaced = promoteOrDiscard(directory)
    const previous = owed ?? replaced
    loaded = { rendered: text, whole }
    const result = await reload(generationIn(directory))
    if (result === 'taken' || result === 'gone') {
      owed = undefined
      return
    }
    loaded = unknown
    // otherwise the next master would start with the refused configuration
    if (previous !== undefined) putBack(previous, directory)
    if (result === 'refused') loaded = before
    throw new OperatorError('nginx did not apply the new configuration', {
      fix: 'fix the problem in its own message above',
    })
  }

  function inTurn(act: () => Promise<void>): Promise<void> {
    const done = lastTurn.then(act)
    lastTurn = done.catch(() => {}) // the caller gets the error; the next turn starts clean
    return done
  }

  return {
    ...master,
    check: render => inTurn(async () => files.discard((await stageTested(render())).directory)),
    async start(rendered) {
      if (ending.signal.aborted) return
      const directory = files.stage(rendered.files)
      promoteOrDiscard(directory)
      loaded = { rendered: textOf(rendered), whole: undefined }
      if ((await start()) || ending.signal.aborted) return
      // the start is the test; a second test gives the reason
      await expectAccepted(directory, rendered)
      throw new OperatorError('nginx did not start', { fix: 'fix the problem in its own message above' })
    },
    apply: (render, onApplied) =>
      inTurn(async () => {
        await applyNow(render())
        onApplied?.()
      }),
    recordFiles() {
      void inTurn(async () => {
        const result = await test(files.currentDirectory)
        if (result.ok) loaded = { ...loaded, whole: loaded.whole ?? result.text }
      }).catch(error => log.debug('cannot record the nginx configuration', { error: messageOf(error) }))
    },
    follow: render =>
      inTurn(async () => {
        const now = render()
        if (textOf(now) !== loaded.rendered) await applyNow(now)
      }),
    async stop(mode, graceMs, requestsMs) {
      ending.abort()
      await testing
      await stop(mode, graceMs, requestsMs)
    },
  }
}

function textOf({ files }: RenderedNginx): string {
  return [...files].flat().join('\n')
}
