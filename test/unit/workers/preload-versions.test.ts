import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { withReadablePreload } from '../../../supervisor/workers/readable-preload.ts'
import { nodeOf } from './node-versions.ts'
import { buildPreload, type PreloadedOptions, startPreloaded } from './preloaded.ts'

const serve = "require('node:http').createServer((_, response) => response.end(body)).listen(3000)"
const serveModule = "import http from 'node:http'\nhttp.createServer((_, response) => response.end(body)).listen(3000)"

/** Packages as pnpm arranges them: `dep` is a link into the store, where `sub` is its neighbour. */
const store = {
  files: {
    'node_modules/.store/dep@1/node_modules/dep/index.js': "module.exports = require('sub') + ' of dep'",
    'node_modules/.store/dep@1/node_modules/sub/index.js': "module.exports = 'sub'",
  },
  links: { 'node_modules/dep': '.store/dep@1/node_modules/dep' },
}

/** A program that is found by other means than those of Node. */
const plugAndPlay = `const Module = require('node:module'), fs = require('node:fs')
  const resolve = Module._resolveFilename
  Module._resolveFilename = (request, ...rest) => request === 'dep' ? '/zip/dep.js' : resolve(request, ...rest)
  const read = fs.readFileSync
  fs.readFileSync = (path, ...rest) => path === '/zip/dep.js' ? "module.exports = 'from a zip'" : read(path, ...rest)
  const stat = fs.statSync
  fs.statSync = (path, ...rest) => stat(path === '/zip/dep.js' ? __filename : path, ...rest)`

const hooks = `export async function load(url, context, next) {
    const loaded = await next(url, context)
    return url.endsWith('/app.mjs') ? { ...loaded, source: String(loaded.source).replaceAll('LOADED', 'loaded') } : loaded
  }`

interface Way extends Pick<PreloadedOptions, 'args' | 'files' | 'links' | 'env'> {
  name: string
  body: string
  /** Arguments for a version, if it has the feature at all. */
  argsFor?(major: number): string[] | undefined
}

const ways: Way[] = [
  {
    name: 'CommonJS with linked packages',
    args: ['app.js'],
    files: { ...store.files, 'app.js': `const body = require('dep')\n${serve}` },
    links: store.links,
    body: 'sub of dep',
  },
  {
    name: 'an ES module with linked packages',
    args: ['src/app.mjs'],
    files: { ...store.files, 'src/app.mjs': `import body from 'dep'\n${serveModule}` },
    links: store.links,
    body: 'sub of dep',
  },
  {
    name: 'a command in node_modules/.bin',
    args: ['node_modules/.bin/tool'],
    files: {
      'node_modules/tool/bin/tool.js': `#!/usr/bin/env node\nconst body = require('../lib/text.js')\n${serve}`,
      'node_modules/tool/lib/text.js': "module.exports = 'the tool'",
    },
    links: { 'node_modules/.bin/tool': '../tool/bin/tool.js' },
    body: 'the tool',
  },
  {
    name: 'modules from another place (PnP)',
    args: ['--require', './.pnp.cjs', 'app.js'],
    files: { '.pnp.cjs': plugAndPlay, 'app.js': `const body = require('dep')\n${serve}` },
    body: 'from a zip',
  },
  {
    name: 'a loader',
    args: ['--no-warnings', '--loader', './hooks.mjs', 'app.mjs'],
    files: { 'hooks.mjs': hooks, 'app.mjs': `const body = 'LOADED'\n${serveModule}` },
    body: 'loaded',
  },
  {
    name: 'registered hooks and NODE_OPTIONS of the app',
    args: ['app.mjs'],
    files: {
      'hooks.mjs': hooks,
      'register.mjs': "import { register } from 'node:module'\nregister('./hooks.mjs', import.meta.url)",
      'app.mjs': `const body = 'LOADED ' + process.env.NODE_OPTIONS\n${serveModule}`,
    },
    argsFor: major => (major >= 20 ? ['--import', './register.mjs', 'app.mjs'] : undefined),
    body: 'loaded undefined',
  },
  {
    name: 'the permission model',
    args: [],
    files: { 'app.js': `const body = String(process.permission.has('fs.write', '/'))\n${serve}` },
    argsFor: major => {
      const flag = { 20: '--experimental-permission', 26: '--allow-net' }[major] ?? '--permission'
      return major < 20
        ? undefined
        : ['--permission', flag, '--allow-fs-read=./*', 'app.js'].slice(major === 20 ? 1 : 0)
    },
    body: 'false',
  },
  {
    name: 'a worker thread that serves nothing',
    args: ['app.js'],
    files: {
      'thread.js': "require('node:worker_threads').parentPort.postMessage(require('dep'))",
      ...store.files,
      'app.js': `new (require('node:worker_threads').Worker)('./thread.js').once('message', body => { ${serve} })`,
    },
    links: store.links,
    body: 'sub of dep',
  },
]

describe('workers/preload', () => {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-preload-'))
  const preload = join(folder, 'preload.cjs')
  before(() => buildPreload(preload))
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const major of [18, 20, 22, 24, 26]) {
    it(`changes nothing for programs of Node ${major}`, async t => {
      const node = nodeOf(major)
      for (const { name, body, argsFor, ...options } of ways) {
        const args = argsFor ? argsFor(major) : options.args
        if (!args) continue
        const worker = startPreloaded(t, { ...options, preload, node, args: withReadablePreload(args, preload) })
        await worker.ready()
        assert.equal(await worker.ask(), body, name)
        assert.ok(!worker.output().includes('monohull'), worker.output())
        worker.child.kill('SIGTERM')
        assert.equal(await worker.exited, 0, `${name}\n${worker.output()}`)
      }
    })

    it(`follows the server of Node ${major} that lives`, async t => {
      const app = `const http = require('node:http')
        const server = http.createServer((_, response) => {
          response.setHeader('Connection', 'close')
          response.end(String(++count))
          server.close(() => server.listen(3000))
        })
        let count = 0
        const probe = http.createServer().listen(3000, () => probe.close(() => server.listen(3000)))`
      const node = nodeOf(major)
      const wrapper = "require('node:child_process').spawn(process.execPath, ['app.js'], { stdio: 'inherit' })"
      const files = { 'app.js': app, 'wrapper.js': wrapper }
      for (const script of ['app.js', 'wrapper.js']) {
        const worker = startPreloaded(t, { preload, node, args: [script], files })
        await worker.ready()
        for (const expected of ['1', '2', '3']) assert.equal(await worker.ask(), expected)
      }
    })
  }
})
