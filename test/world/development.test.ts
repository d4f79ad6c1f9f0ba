// needs: python3-flask
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { defer, type Monohull, startMonohull, temporaryFolder, until } from '../process/monohull.ts'
import { installedDirectory } from './npm.ts'
import { writeFiles } from './programs/files.ts'

/** `monohull dev` with a development server that watches its files itself. */
function develop(t: TestContext, folder: string, command: readonly string[]): Monohull {
  const env = { MONOHULL_WORKERS: undefined, MONOHULL_DIRECTORY: undefined, NEXT_TELEMETRY_DISABLED: '1' }
  return startMonohull(t, { folder, args: ['dev', ...command], env })
}

/** Settles when a page contains the text. Until then every response is the page as it was. */
async function shows(monohull: Monohull, text: string): Promise<void> {
  await until(`a page with ${text}`, async () => (await monohull.request()).body.includes(text), {
    details: monohull.output,
  })
}

/** Replaces a text in a file, and expects the page to follow without a restart of the server by Monohull. */
async function edit(monohull: Monohull, file: string, [from, to]: [string, string]): Promise<void> {
  const path = join(monohull.folder, file)
  const before = monohull.worker(1)
  writeFileSync(path, readFileSync(path, 'utf8').replace(from, to))
  await shows(monohull, to)
  assert.equal(monohull.worker(1), before, monohull.output().slice(-4000))
  assert.doesNotMatch(monohull.output(), /changed: /)
}

describe('monohull dev with servers that reload by themselves', () => {
  // it may install Next.js first
  it('Next.js: the page follows an edit, and its WebSocket for hot reloading reports it', {
    timeout: 300_000,
  }, async t => {
    const installed = installedDirectory('next', ['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1'])
    // Turbopack follows no link out of the project
    const folder = temporaryFolder(t)
    cpSync(join(installed, 'node_modules'), join(folder, 'node_modules'), { recursive: true })
    writeFiles(folder, {
      'package.json': '{"private":true,"scripts":{"dev":"next dev"}}',
      'app/layout.js': `export default ({ children }) => <html lang="en"><body>{children}</body></html>`,
      'app/page.js': 'export default () => <p>first text</p>',
    })
    const monohull = develop(t, folder, ['npm', 'run', 'dev'])
    await monohull.serving()
    await monohull.seen(/watches its files itself/)
    await shows(monohull, 'first text')
    const socket = new WebSocket(`ws://localhost:${monohull.instance().httpPort}/_next/hmr?id=1`)
    defer(t, () => socket.close())
    const messages: string[] = []
    socket.addEventListener('message', ({ data }) => messages.push(String(data)))
    await until('the WebSocket', () => socket.readyState === WebSocket.OPEN, { details: monohull.output })
    const before = messages.length
    await edit(monohull, 'app/page.js', ['first text', 'second text'])
    await until('a message about the edit', () => messages.length > before, { details: monohull.output })
  })

  it('Flask: flask run --debug needs no port, restarts by itself, and its debugger shows an error', async t => {
    const folder = temporaryFolder(t, {
      'shop.py': `from flask import Flask
app = Flask(__name__)
@app.get("/")
def index():
    return "first text"
@app.get("/broken")
def broken():
    return missing
`,
    })
    const monohull = develop(t, folder, ['/usr/bin/flask', '--app', 'shop', '--debug', 'run'])
    await monohull.serving()
    await shows(monohull, 'first text')
    const broken = await monohull.request({ path: '/broken' })
    assert.equal(broken.status, 500)
    assert.match(broken.body, /NameError[\s\S]*Werkzeug/)
    await edit(monohull, 'shop.py', ['first text', 'second text'])
  })
})
