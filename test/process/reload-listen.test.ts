import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { defer, fixture, type Monohull, startMonohull, until } from './monohull.ts'

const appOf = (listen: string) =>
  `  app: { command: [node, ${fixture('hello.cjs')}], listen: ${listen}, min_uptime: 0s }\n`
const broken = '  broken: { command: [node, -e, process.exit(9)], workers: 1 }\n'
const configOf = (apps: string) => `https: off\naccess_log: false\napps:\n${apps}`

async function reload(monohull: Monohull, apps: string): Promise<string> {
  const from = monohull.output().length
  writeFileSync(join(monohull.folder, 'monohull.yaml'), configOf(apps))
  monohull.signal('SIGHUP')
  const ended = () => /reload (abandoned|finished)/.exec(monohull.output().slice(from))?.[1]
  return until('the end of the reload', ended, { deadlineMs: 60_000, details: monohull.output })
}

/** Asks until the test ends, each time on a new connection. Returns the statuses and errors so far. */
function keepAsking(t: TestContext, monohull: Monohull): () => string[] {
  const results: string[] = []
  let isOver = false
  const asked = (async () => {
    while (!isOver)
      results.push(
        await monohull.request().then(
          ({ status }) => String(status),
          (error: Error) => error.message,
        ),
      )
  })()
  defer(t, () => {
    isOver = true
    return asked
  })
  return () => results
}

describe('a reload that changes how workers listen', () => {
  it('fails no request, also when it is abandoned, in both directions', async t => {
    const monohull = startMonohull(t, {
      files: { 'monohull.yaml': configOf(appOf('port')) },
      env: { MONOHULL_WORKERS: undefined },
    })
    await monohull.serving()
    const results = keepAsking(t, monohull)
    for (const [from, to] of [
      ['port', 'inherit'],
      ['inherit', 'port'],
    ] as const) {
      assert.equal(await reload(monohull, appOf(to) + broken), 'abandoned')
      for (let request = 0; request < 20; request++)
        assert.equal((await monohull.request()).status, 200, `still ${from}`)
      assert.equal(await reload(monohull, appOf(to)), 'finished')
      for (let request = 0; request < 20; request++)
        assert.equal((await monohull.request()).status, 200, `${from} to ${to}`)
    }
    assert.deepEqual(
      results().filter(result => result !== '200'),
      [],
      `of ${results().length} requests`,
    )
  })
})
