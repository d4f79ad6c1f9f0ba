// needs: chromium
// before a release: a quarter of a minute of a core; test/process/control.test.ts shows the profiles
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { launchChromium } from '../chromium.ts'
import { launcher } from './built.ts'
import { isolatedEnv, startMonohull, until } from './monohull.ts'

const isMissing = spawnSync('chromium', ['--version']).error !== undefined
const skip = isMissing && !process.env.CI && 'chromium is not installed'

const app = `
class RememberedOrder { constructor(id) { this.id = id } }
globalThis.orders = Array.from({ length: 321 }, (_, id) => new RememberedOrder(id))
// V8 cannot inline all of it into its caller, which would then be the one that is busy
function fibonacci(n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2) }
setInterval(() => fibonacci(31), 20)
require('node:http').createServer((q, r) => r.end('well')).listen(3000)
`

it("profiles load in the DevTools of Chromium, by the DevTools' own code, which find the busy function and the objects", {
  skip,
  timeout: 60_000,
}, async t => {
  const monohull = startMonohull(t, {
    args: ['run', 'node', 'app.cjs'],
    files: { 'app.cjs': app },
    env: { MONOHULL_WORKERS: '1', MONOHULL_HTTPS: 'off' },
  })
  await monohull.serving()
  const browser = launchChromium(t, { servesDevTools: true })
  // any page of that origin may import the modules
  const page = await browser.open(`${await browser.devToolsOrigin()}/json/version`)
  const record = async (extension: string, ...words: string[]) => {
    const path = join(monohull.folder, `app.${extension}`)
    const args = [launcher, 'profile', 'app.1', ...words, '-o', path]
    await promisify(execFile)(process.execPath, args, { env: isolatedEnv(monohull.folder) })
    return path
  }
  /** Value of an expression over the text of a file that is chosen in the page. */
  const load = async <T>(path: string, body: string): Promise<T> => {
    await page.evaluate(`document.body.innerHTML = '<input type=file>'`)
    const input = 'document.querySelector("input")'
    const { result } = (await page.call('Runtime.evaluate', { expression: input })) as { result: { objectId: string } }
    await page.call('DOM.setFileInputFiles', { files: [path], objectId: result.objectId })
    await page.evaluate(`void ${input}.files[0].text().then(async text => { ${body} })
      .then(found => { window.found = found }, error => { window.found = { error: String(error.stack) } })`)
    const found = await until(`the DevTools to load ${path}`, () =>
      page.evaluate<(T & { error?: string }) | undefined>('window.found'),
    )
    await page.evaluate('delete window.found')
    assert.equal(found.error, undefined)
    return found
  }

  const cpu = await load<{ share: number; url: string; seconds: number }>(
    await record('cpuprofile', '--cpu', '600ms'),
    `const { CPUProfileDataModel } = await import('/devtools/models/cpu_profile/cpu_profile.js')
    const model = new CPUProfileDataModel.CPUProfileDataModel(JSON.parse(text))
    const all = node => [node, ...node.children.flatMap(all)]
    const nodes = all(model.profileHead).filter(node => !/^\\(/.test(node.functionName))
    const found = nodes.filter(node => node.functionName === 'fibonacci')
    const sum = list => list.reduce((total, node) => total + node.self, 0)
    return { share: sum(found) / sum(nodes), url: found[0]?.url, seconds: (model.profileEndTime - model.profileStartTime) / 1000 }`,
  )
  assert.ok(cpu.share > 0.5, `${cpu.share} of the time that functions take`)
  assert.match(cpu.url, /\/app\.cjs$/)
  assert.ok(cpu.seconds > 0.5, `${cpu.seconds} s`)

  const heap = await load<{ orders: number; size: number }>(
    await record('heapsnapshot', '--heap', '--force'),
    `const { HeapSnapshot, HeapSnapshotLoader } = await import('/devtools/entrypoints/heap_snapshot_worker/heap_snapshot_worker.js')
    const loader = new HeapSnapshotLoader.HeapSnapshotLoader({ sendEvent() {} })
    loader.write(text)
    loader.close()
    const { port1, port2 } = new MessageChannel()
    new HeapSnapshot.SecondaryInitManager(port2)
    const snapshot = await loader.buildSnapshot(port1)
    let orders = 0
    for (const nodes = snapshot.allNodes(); nodes.hasNext(); nodes.next())
      if (nodes.item().name() === 'RememberedOrder' && nodes.item().type() === 'object') orders++
    return { orders, size: snapshot.totalSize }`,
  )
  // and their prototype
  assert.ok(heap.orders >= 321 && heap.orders <= 322, `${heap.orders} objects`)
  assert.ok(heap.size > 1e6, `${heap.size} bytes`)
})
