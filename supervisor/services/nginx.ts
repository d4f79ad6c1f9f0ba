import { messageOf, OperatorError } from '../base/errors.ts'
import { stoppingReason } from '../base/stopping.ts'
import { complaintFix, nameOrigins } from '../domain/nginx-complaint.ts'
import type { NginxModel } from '../domain/nginx-model.ts'
import { renderNginx } from '../domain/nginx-render.ts'
import type { ConfigTest, NginxFiles } from '../domain/ports.ts'
import { createNginxMaster, type NginxMaster, type NginxMasterDeps } from './nginx-master.ts'

/** nginx with its configuration. Whatever renders, tests or reloads waits for its turn, and takes the model of its turn. */
export interface Nginx extends Omit<NginxMaster, 'start' | 'reload'> {
  /** Renders and tests without a trace; an OperatorError with nginx's own words when it is refused. */
  check(model: () => NginxModel): Promise<void>
  /** Starts; settles when nginx has workers. An OperatorError with nginx's own words when it refuses the configuration. */
  start(model: NginxModel): Promise<void>
  /**
   * Renders, tests, promotes and reloads; settles when only new nginx workers accept. It rejects when nginx does not take
   * it, and the last configuration is in use again. It reloads nothing when no file of the configuration has changed: a
   * reload closes client connections. `onTaken` is called before anybody else has a turn.
   */
  apply(model: () => NginxModel, onTaken?: () => void): Promise<void>
  /** `apply` for when the model alone may have changed, and not the files that the user's own configuration is in. */
  follow(model: () => NginxModel): Promise<void>
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
  const { start, reload, stop, ...master } = createNginxMaster({ ...deps, configuration: files.currentFolder })
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
  async function expectAccepted(folder: string, model: NginxModel): Promise<string> {
    const result = await test(folder)
    if (ending.signal.aborted) throw new OperatorError(stoppingReason, { fix: 'start it again' })
    if (!result.ok) {
      throw new OperatorError(`nginx refuses the configuration: ${nameOrigins(result.output, model).join('\n')}`, {
        fix: complaintFix(result.output, model),
      })
    }
    for (const warning of nameOrigins(result.warnings, model)) log.warn('nginx warns', { output: warning })
    return result.text
  }

  async function stageTested(model: NginxModel): Promise<{ folder: string; whole: string }> {
    const folder = files.stage(renderNginx(model))
    try {
      return { folder, whole: await expectAccepted(folder, model) }
    } catch (error) {
      files.discard(folder)
      throw error
    }
  }

  async function applyNow(model: NginxModel): Promise<void> {
    if (ending.signal.aborted) return
    const { folder, whole } = await stageTested(model)
    const rendered = textOf(model)
    // pages are no part of what nginx reads at a reload
    if (whole === given.whole && rendered === given.rendered) {
      files.discard(folder)
      return
    }
    const former = files.promote(folder)
    given = { rendered, whole }
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
    check: model => inTurn(async () => files.discard((await stageTested(model())).folder)),
    async start(model) {
      if (ending.signal.aborted) return
      const folder = files.stage(renderNginx(model))
      files.promote(folder)
      given = { rendered: textOf(model), whole: undefined }
      if ((await start()) || ending.signal.aborted) return
      // starting is the test; asked again, it tells why
      await expectAccepted(folder, model)
      throw new OperatorError('nginx did not start', { fix: 'mend what its own message names, it stands above' })
    },
    apply: (model, onTaken) =>
      inTurn(async () => {
        await applyNow(model())
        onTaken?.()
      }),
    takeNote() {
      void inTurn(async () => {
        const result = await test(files.currentFolder)
        if (result.ok) given = { ...given, whole: given.whole ?? result.text }
      }).catch(error => log.debug('cannot take note of the nginx configuration', { error: messageOf(error) }))
    },
    follow: model =>
      inTurn(async () => {
        const now = model()
        if (textOf(now) !== given.rendered) await applyNow(now)
      }),
    async stop(mode, graceMs) {
      ending.abort()
      await testing
      await stop(mode, graceMs)
    },
  }
}

function textOf(model: NginxModel): string {
  return [...renderNginx(model)].flat().join('\n')
}
