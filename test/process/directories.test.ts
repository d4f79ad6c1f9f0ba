import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { launcher } from './built.ts'
import { type Monohull, needsRoot, startMonohull, temporaryFolder, until } from './monohull.ts'

const release = (number: number, extra = '') => ({
  [`releases/${number}/server.cjs`]: `require('node:http').createServer((_, response) => response.end('${number}')).listen(3000)\n`,
  [`releases/${number}/monohull.yaml`]: `app: { command: [node, server.cjs], workers: 1 }\nheaders: { x-release: "${number}" }\n${extra}`,
})

/** Makes `current` lead to another release, as deployments do. */
function point(folder: string, number: number): void {
  symlinkSync(`releases/${number}`, join(folder, 'next'))
  renameSync(join(folder, 'next'), join(folder, 'current'))
}

/** An instance started inside `current`, by its name. */
function startInside(t: TestContext, folder: string, directory = 'current'): Monohull {
  return startMonohull(t, {
    folder,
    args: ['run'],
    env: { MONOHULL_DIRECTORY: undefined, MONOHULL_WORKERS: undefined },
    entry: ['sh', '-c', `cd ${directory} && exec "$@"`, 'sh', process.execPath, launcher],
  })
}

describe('the directory by its name', { concurrency: 2 }, () => {
  it('is followed by a reload, with its monohull.yaml, and by a worker after a crash', async t => {
    const folder = temporaryFolder(t, { ...release(1), ...release(2) })
    point(folder, 1)
    const monohull = startInside(t, folder)
    await monohull.serving()
    assert.equal((await monohull.request()).body, '1')
    point(folder, 2)
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    const second = await monohull.request()
    assert.deepEqual([second.body, second.headers['x-release']], ['2', '2'])
    rmSync(join(folder, 'releases/1'), { recursive: true })
    const before = monohull.worker(1)
    process.kill(before, 'SIGKILL')
    await monohull.workerAfter(1, before)
    await until('release 2 again', async () => (await monohull.request()).body === '2')
  })

  it('is followed through a link above it, and by a process with a directory of its own', async t => {
    const processes = 'processes: { other: { command: [sh, -c, "pwd -P; exec sleep 60"], directory: ./jobs } }\n'
    const folder = temporaryFolder(t, {
      ...release(1, processes),
      ...release(2, processes),
      'releases/1/jobs/x': '',
      'releases/2/jobs/x': '',
    })
    point(folder, 1)
    const monohull = startInside(t, folder, 'current/../current/')
    await monohull.serving()
    await monohull.seen(/releases\/1\/jobs/)
    point(folder, 2)
    monohull.signal('SIGHUP')
    await monohull.seen(/releases\/2\/jobs/)
  })
})

describe('run_dir', { skip: needsRoot }, () => {
  for (const command of ['check', 'run'])
    it(`that the user of nginx cannot enter ends ${command} with 78, also behind a link`, async t => {
      const folder = temporaryFolder(t, { 'server.cjs': '' })
      mkdirSync(join(folder, 'closed/inner'), { recursive: true, mode: 0o700 })
      symlinkSync('closed/inner', join(folder, 'open'))
      for (const runDir of ['closed/run', 'open/run']) {
        const env = { MONOHULL_RUN_DIR: join(folder, runDir) }
        const monohull = startMonohull(t, { folder, args: [command, 'node', 'server.cjs'], env })
        assert.equal(await monohull.exited, 78)
        assert.match(monohull.output(), /run_dir|MONOHULL_RUN_DIR/)
        assert.match(monohull.output(), /cannot be entered by user www-data[\s\S]*chmod o\+x \S+\/closed/)
      }
    })
})
