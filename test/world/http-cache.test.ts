import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { freePorts } from '../process/free-ports.ts'
import { defer, startMonohull, until } from '../process/monohull.ts'
import { installedDirectory } from './npm.ts'

/** The suite of https://cache-tests.fyi, at the version of its results for other caches: Varnish 118, Apache 124, Squid 134 of 157. */
const suite = 'http-cache-tests@0.4.5'
/** Required tests that pass at least: 134 do with nginx 1.22 and Lua, 97 without these rules. */
const target = 130

/** A test of the suite. */
interface CacheTest {
  id: string
  kind?: 'required' | 'optimal' | 'check'
  browser_only?: boolean
}

it('the cache passes as many required tests of the public suite as the best proxies', { timeout: 300_000 }, async t => {
  const folder = installedDirectory('http-cache', [suite])
  const home = join(folder, 'node_modules/http-cache-tests')
  const [port = 0] = await freePorts(1)
  const settings = { npm_config_protocol: 'http', npm_config_port: `${port}`, npm_config_pidfile: '/dev/null' }
  const options = { cwd: home, env: { ...process.env, ...settings }, stdio: ['ignore', 'ignore', 'inherit'] as const }
  const origin = spawn(process.execPath, ['server/server.mjs'], { ...options, stdio: [...options.stdio] })
  defer(t, () => origin.kill())
  const monohull = startMonohull(t, {
    files: {
      'monohull.yaml': `https: off
access_log: false
cache: {}
upstreams: { origin: { servers: ["127.0.0.1:${port}"] } }
routes: [{ upstream: origin }]
`,
    },
  })
  const { httpPort } = await monohull.serving()
  await until('the origin', () =>
    fetch(`http://127.0.0.1:${port}/state/x`).then(
      () => true,
      () => false,
    ),
  )

  const load = (path: string) => import(pathToFileURL(join(home, path)).href)
  const { default: suites }: { default: { tests: CacheTest[] }[] } = await load('tests/index.mjs')
  const { runTests, getResults } = await load('client/runner.mjs')
  const { default: send } = await import(pathToFileURL(join(folder, 'node_modules/node-fetch/lib/index.js')).href)
  await runTests(suites, send, false, `http://127.0.0.1:${httpPort}`)
  const results: Record<string, unknown> = getResults()
  const required = suites
    .flatMap(({ tests }) => tests)
    .filter(({ kind = 'required', browser_only }) => kind === 'required' && !browser_only)
  const failed = required.filter(({ id }) => results[id] !== true).map(({ id }) => id)
  t.diagnostic(
    `${required.length - failed.length} of ${required.length} required tests pass; these do not: ${failed.join(', ')}`,
  )
  assert.ok(required.length - failed.length >= target)
})
