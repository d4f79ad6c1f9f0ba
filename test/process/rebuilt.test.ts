// before a release: a build of its own
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { appendFileSync, cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { readInstance } from '../../supervisor/run/adapters/instance.ts'
import { ask, defer, isolatedEnv, temporaryFolder, until } from './monohull.ts'

const repository = join(import.meta.dirname, '../..')
const run = promisify(execFile)

describe('a build while an instance runs', () => {
  it('leaves it the parts that it has not loaded yet: it can reload', { timeout: 60_000 }, async t => {
    const folder = temporaryFolder(t, {
      'server.cjs': `require('node:http').createServer((q, r) => r.end(process.env.COLOR ?? 'none')).listen(3000)\n`,
    })
    const copy = temporaryFolder(t)
    for (const part of ['supervisor', 'tools', 'app', 'nginx', 'page', 'package.json', 'tsconfig.json'])
      cpSync(join(repository, part), join(copy, part), { recursive: true })
    symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'))
    const build = () => run(process.execPath, ['--import', 'tsx', 'tools/build.ts'], { cwd: copy })
    await build()

    const child = spawn(process.execPath, [join(copy, 'dist/launcher.cjs'), 'run', 'node', 'server.cjs'], {
      cwd: folder,
      env: isolatedEnv(folder),
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let output = ''
    child.stderr.on('data', (part: Buffer) => {
      output += part
    })
    const exited = new Promise<number | null>(resolve => child.once('exit', resolve))
    defer(t, async () => {
      child.kill('SIGINT')
      await exited
    })
    const details = () => output
    const record = await until(
      'it to serve',
      () => {
        const found = readInstance(join(folder, 'run'))
        return found?.isServing && found
      },
      { details },
    )

    // names of exports move when there is one more, and so does what a part asks the program for
    const names = join(copy, 'supervisor/front/hsts-name.ts')
    appendFileSync(names, 'export const aardvark = () => Math.random()\n')
    for (const part of ['run/reload.ts', 'front/cache/purge.ts']) {
      const path = join(copy, 'supervisor', part)
      const use = `import { aardvark } from '${relative(dirname(path), names)}'\nif (aardvark() > 2) throw new Error('another build')\n`
      writeFileSync(path, use + readFileSync(path, 'utf8'))
    }
    await build()

    writeFileSync(join(folder, 'monohull.yaml'), 'app: {env: {COLOR: blue}}\n')
    child.kill('SIGHUP')
    await until('the reload', () => /reload (finished|failed|abandoned)|internal error/.test(output), { details })
    assert.equal((await ask(record.httpsPort, { scheme: 'https' })).body, 'blue', output)
  })
})
