import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { kubeletVolume } from './kubelet-volume.ts'
import { fixture, startMonohull, temporaryFolder } from './monohull.ts'

const env = { MONOHULL_HTTPS: 'off', MONOHULL_WORKERS: undefined }
const config = (...lines: string[]) =>
  [`app: { command: [node, ${fixture('hello.cjs')}], workers: 1, min_uptime: 0s }`, ...lines, ''].join('\n')

describe('watch_config', { concurrency: 2 }, () => {
  it('reloads once for each swap of a ConfigMap; what is refused is reported, and what runs stays', async t => {
    const directory = temporaryFolder(t)
    const swap = kubeletVolume(directory)
    const page = (text: string) => ({ 'page.html': `<html>${text}</html>` })
    swap({ 'monohull.yaml': config('watch_config: true'), ...page('one') })
    const monohull = startMonohull(t, { env: { ...env, MONOHULL_CONFIG: join(directory, 'monohull.yaml') } })
    await monohull.serving()
    const status = async () => (await monohull.request()).status
    const shown = async () => {
      const asked = { args: ['status'], env: { MONOHULL_RUN_DIR: join(monohull.folder, 'run') } }
      const command = startMonohull(t, { folder: temporaryFolder(t), ...asked })
      await command.exited
      return command.output()
    }
    const after = async (change: () => void, outcome: RegExp) => {
      const from = monohull.output().length
      change()
      await monohull.seen(outcome, from)
    }

    assert.equal(await status(), 200)
    const denied = { 'monohull.yaml': config('watch_config: true', 'deny: [127.0.0.1]') }
    await after(() => swap({ ...denied, ...page('one') }), /reload finished/)
    assert.equal(await status(), 403)

    const broken = { 'monohull.yaml': config('watch_config: true', 'deny: [everyone]') }
    await after(() => swap({ ...broken, ...page('one') }), /reload abandoned.*everyone/s)
    assert.equal(await status(), 403)
    assert.match(await shown(), /warning: the last reload, at .*, was abandoned: .*deny/s)

    await after(() => swap({ ...denied, ...page('another file') }), /reload finished/)
    assert.doesNotMatch(await shown(), /warning/)
    await after(() => swap({ 'monohull.yaml': config('watch_config: false'), ...page('one') }), /reload finished/)
    assert.equal(await status(), 200)
    const received = () => [...monohull.output().matchAll(/command received command=reload from="a change of/g)].length
    assert.equal(received(), 4)

    // off: the next swap waits for a signal, which turns it on again
    swap({ ...denied, ...page('one') })
    await after(() => monohull.signal('SIGHUP'), /reload finished/)
    assert.equal(received(), 4)
    await after(() => swap({ 'monohull.yaml': config('watch_config: true'), ...page('one') }), /reload finished/)
    assert.deepEqual([await status(), received()], [200, 5])
  })

  it('takes the last of several swaps within a second, whatever the others were, and a file that comes and goes', async t => {
    const directory = temporaryFolder(t)
    const swap = kubeletVolume(directory)
    const version = (...lines: string[]) => ({ 'monohull.yaml': config('watch_config: true', ...lines) })
    const refused = version('deny: [everyone]')
    const page = { 'gone.html': '<html>moved</html>' }
    const shown = `error_pages: { 404: ${join(directory, 'gone.html')} }`
    swap(version())
    const monohull = startMonohull(t, { env: { ...env, MONOHULL_CONFIG: join(directory, 'monohull.yaml') } })
    await monohull.serving()
    const status = async () => (await monohull.request()).status
    const after = async (outcome: RegExp, ...changes: Record<string, string>[]) => {
      const from = monohull.output().length
      for (const [index, change] of changes.entries()) {
        if (index > 0) await setTimeout(250)
        swap(change)
      }
      await monohull.seen(outcome, from)
      return monohull
        .output()
        .slice(from)
        .match(/command received command=reload/g)?.length
    }
    const denied = version('deny: [127.0.0.1]')
    assert.equal(await after(/reload finished/, version('deny: [203.0.113.1]'), refused, denied), 1)
    assert.equal(await status(), 403)
    assert.doesNotMatch(monohull.output(), /reload abandoned/)
    assert.equal(await after(/reload abandoned/, version(), denied, refused), 1)
    assert.equal(await status(), 403)
    // the file beside it appears with the first version that needs it, and leaves with the last
    assert.equal(await after(/reload finished/, { ...version(shown), ...page }), 1)
    assert.equal(await status(), 200)
    assert.equal(await after(/reload finished/, denied), 1)
    assert.equal(await status(), 403)
  })

  it('follows a file that an editor replaces, or writes in place', async t => {
    const monohull = startMonohull(t, { files: { 'monohull.yaml': config('watch_config: true') }, env })
    await monohull.serving()
    const path = join(monohull.folder, 'monohull.yaml')
    const from = monohull.output().length
    writeFileSync(`${path}.new`, config('watch_config: true', 'deny: [127.0.0.1]'))
    renameSync(`${path}.new`, path)
    await monohull.seen(/reload finished/, from)
    assert.equal((await monohull.request()).status, 403)
    const next = monohull.output().length
    writeFileSync(path, config('watch_config: true', 'deny: [203.0.113.1]'))
    await monohull.seen(/reload finished/, next)
    assert.equal((await monohull.request()).status, 200)
  })

  it('is refused without a configuration file', async t => {
    const monohull = startMonohull(t, {
      args: ['run', 'node', fixture('hello.cjs')],
      env: { MONOHULL_WATCH_CONFIG: 'true' },
    })
    assert.equal(await monohull.exited, 78)
    assert.match(monohull.output(), /watch_config: has no effect without a configuration file.*MONOHULL_CONFIG/s)
  })
})
