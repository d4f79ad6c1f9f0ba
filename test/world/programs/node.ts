import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { until } from '../../process/monohull.ts'
import { installedDirectory } from '../npm.ts'
import type { Program } from '../site.ts'

import { writeFiles } from './files.ts'

const execFileAsync = promisify(execFile)

const next: Program = {
  name: 'Next.js: a streamed page and a server action on a mapped port',
  directory() {
    const directory = installedDirectory('next', ['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1'])
    writeFiles(directory, {
      'app/layout.js': `export default ({ children }) => <html lang="en"><body>{children}</body></html>`,
      'app/page.js': `import { Suspense } from 'react'
import { redirect } from 'next/navigation'
export const dynamic = 'force-dynamic'
async function greet(data) { 'use server'; redirect('/hello/' + data.get('name')) }
async function Late() { await new Promise(done => setTimeout(done, 50)); return <p>late</p> }
export default () => <form action={greet}><input name="name" /><Suspense fallback={<p>early</p>}><Late /></Suspense></form>
`,
      'app/hello/[name]/page.js': `export default async ({ params }) => <p>hello {(await params).name}</p>`,
    })
    execFileSync('npx', ['next', 'build'], {
      cwd: directory,
      stdio: 'ignore',
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
    })
    return directory
  },
  configuration: { app: { command: 'npx next start' } },
  env: { NEXT_TELEMETRY_DISABLED: '1' },
  page: '/',
  async use({ send, origin }) {
    const page = await send('/')
    assert.match(page.text, /early[\s\S]*late/)
    const [, action = ''] = /name="(\$ACTION_ID_[^"]+)"/.exec(page.text) ?? []
    const form = new FormData()
    form.set(action, '')
    form.set('name', 'world')
    const sent = await send('/', { method: 'POST', body: form, headers: { origin } })
    assert.equal(sent.status, 303, sent.text)
    assert.equal(new URL(sent.headers.get('location') ?? '', origin).href, `${origin}/hello/world`)
    assert.match((await send('/hello/world')).text, /hello/)
  },
}

const nest: Program = {
  name: 'NestJS: a controller with a body',
  directory() {
    const directory = installedDirectory('nest', [
      '@nestjs/core@12.5.1',
      '@nestjs/common@12.5.1',
      '@nestjs/platform-express@12.5.1',
      'reflect-metadata@0.2.2',
      'rxjs@7.8.2',
      'tsx@4.20.6',
    ])
    writeFiles(directory, {
      'tsconfig.json': JSON.stringify({ compilerOptions: { experimentalDecorators: true } }),
      'main.ts': `import 'reflect-metadata'
import { Body, Controller, Get, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
@Controller('cats')
class Cats {
  @Get() all() { return [] }
  @Post() create(@Body() cat: unknown) { return { created: cat } }
}
@Module({ controllers: [Cats] })
class AppModule {}
NestFactory.create(AppModule).then(app => app.listen(process.env.PORT ?? 3000))
`,
    })
    return directory
  },
  configuration: { app: { command: 'npx tsx main.ts' } },
  page: '/cats',
  async use({ sendJson }) {
    const sent = await sendJson('/cats', { name: 'Tom' })
    assert.equal(sent.status, 201)
    assert.deepEqual(JSON.parse(sent.text), { created: { name: 'Tom' } })
  },
}

const fastify: Program = {
  name: 'Fastify, started by its own command',
  directory() {
    const directory = installedDirectory('fastify', ['fastify@5.12.8', 'fastify-cli@8.0.2'])
    writeFiles(directory, {
      'app.js': `module.exports = async (app, options) => {
  app.get('/', async () => ({ root: true }))
  app.post('/echo', async request => request.body)
}`,
    })
    return directory
  },
  configuration: { app: { command: 'npx fastify start app.js' } },
  page: '/',
  async use({ sendJson }) {
    const value = { long: 'x'.repeat(100_000) }
    assert.equal((await sendJson('/echo', value)).text, JSON.stringify(value))
  },
}

const svelteKit: Program = {
  name: 'SvelteKit with its node server: a form action',
  directory() {
    const directory = installedDirectory('svelte', [
      '@sveltejs/kit@3.2.0',
      '@sveltejs/adapter-node@6.0.1',
      '@sveltejs/vite-plugin-svelte@7.3.1',
      'svelte@5.57.3',
      'vite@8.4.0',
    ])
    writeFiles(directory, {
      'package.json': JSON.stringify({ private: true, type: 'module' }),
      'vite.config.js': `import adapter from '@sveltejs/adapter-node'
import { sveltekit } from '@sveltejs/kit/vite'
export default { plugins: [sveltekit({ adapter: adapter() })] }`,
      'src/app.html': '<!doctype html><html><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>',
      'src/routes/+page.svelte': `<script>let { form } = $props()</script>
<form method="post"><input name="name"></form><p>hello {form?.name ?? 'nobody'}</p>`,
      'src/routes/+page.server.js': `export const actions = {
  default: async ({ request }) => ({ name: (await request.formData()).get('name') }),
}`,
    })
    execFileSync('npx', ['vite', 'build'], { cwd: directory, stdio: 'ignore' })
    return directory
  },
  configuration: { app: { command: 'node build' } },
  env: { PROTOCOL_HEADER: 'x-forwarded-proto', HOST_HEADER: 'x-forwarded-host' },
  page: '/',
  async use({ send, origin }) {
    const body = new URLSearchParams({ name: 'world' })
    const sent = await send('/', { method: 'POST', body, headers: { origin, accept: 'text/html' } })
    assert.match(sent.text, /hello world/, `${sent.status}`)
  },
}

const socketIo: Program = {
  name: 'socket.io: a chat of two',
  directory() {
    const directory = installedDirectory('socket.io', ['socket.io@4.8.4', 'socket.io-client@4.8.4', 'express@5.3.0'])
    writeFiles(directory, {
      'index.js': `const app = require('express')()
const server = require('node:http').createServer(app)
const io = new (require('socket.io').Server)(server)
app.get('/', (request, response) => response.send('<h1>Hello world</h1>'))
io.on('connection', socket => socket.on('chat message', text => io.emit('chat message', text)))
server.listen(3000)
`,
    })
    return directory
  },
  configuration: { app: { command: 'node index.js', balance: 'sticky' } },
  workers: 1,
  page: '/',
  async use({ directory, origin }) {
    const client = pathToFileURL(join(directory, 'node_modules/socket.io-client/build/esm-debug/index.js')).href
    const { io } = await import(client)
    for (const transports of [['polling', 'websocket'], ['websocket']]) {
      const options = { transports, rejectUnauthorized: false, forceNew: true }
      const [one, other] = [io(origin, options), io(origin, options)]
      const heard = new Promise(resolve => other.once('chat message', resolve))
      await Promise.all(
        [one, other].map(
          socket => new Promise((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject)),
        ),
      )
      one.emit('chat message', 'hi')
      assert.equal(await heard, 'hi')
      one.close()
      other.close()
    }
  },
}

const nodeRed: Program = {
  name: 'Node-RED: a flow that is deployed',
  directory() {
    const directory = installedDirectory('node-red', ['node-red@5.0.7'])
    rmSync(join(directory, 'data'), { recursive: true, force: true })
    return directory
  },
  configuration: { app: { command: 'npx node-red --userDir data' } },
  workers: 1,
  page: '/settings',
  async use({ send, sendJson, output }) {
    const starts = () => output().split('Started flows').length
    const before = starts()
    const flow = [
      { id: 'tab1', type: 'tab', label: 'world' },
      { id: 'in1', z: 'tab1', type: 'http in', url: '/flow', method: 'get', upload: false, wires: [['c1']] },
      {
        id: 'c1',
        z: 'tab1',
        type: 'change',
        rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'flows', tot: 'str' }],
        wires: [['o1']],
      },
      { id: 'o1', z: 'tab1', type: 'http response', statusCode: '', headers: {}, wires: [] },
    ]
    const deployed = await sendJson('/flows', flow)
    assert.equal(deployed.status, 204, deployed.text)
    await until('the flow to start', () => starts() > before)
    assert.equal((await send('/flow')).text, 'flows')
  },
}

let published = 0

const verdaccio: Program = {
  name: 'Verdaccio: npm publishes and installs a package',
  directory() {
    const directory = installedDirectory('verdaccio', ['verdaccio@6.10.4'], { 'node-fetch': '2.7.0' })
    for (const name of ['storage', 'htpasswd']) rmSync(join(directory, name), { recursive: true, force: true })
    writeFiles(directory, {
      'config.yaml': `storage: ./storage
auth: { htpasswd: { file: ./htpasswd } }
packages: { '**': { access: $all, publish: $authenticated } }
`,
    })
    return directory
  },
  configuration: { app: { command: 'npx verdaccio --config config.yaml --listen 4873' } },
  workers: 1,
  page: '/-/ping',
  async use({ sendJson, origin, directory, port }) {
    const name = `user${++published}`
    const user = { name, password: 'a long password', email: 'a@b.test', type: 'user' }
    const made = await sendJson(`/-/user/org.couchdb.user:${name}`, user, 'PUT')
    assert.equal(made.status, 201, made.text)
    writeFiles(directory, {
      'package/package.json': JSON.stringify({ name: 'world-package', version: `1.0.${published}` }),
      'package/large.bin': 'x'.repeat(3_000_000),
      'package/.npmrc': `registry=${origin}/\nstrict-ssl=false\n//localhost:${port}/:_authToken=${JSON.parse(made.text).token}\n`,
    })
    const npm = (...words: string[]) =>
      execFileAsync('npm', words, {
        cwd: join(directory, 'package'),
        env: { ...process.env, npm_config_cache: join(directory, 'npm-cache') },
      })
    await npm('publish')
    const { stdout } = await npm('view', 'world-package', 'version', 'dist.tarball', '--json')
    const shown = JSON.parse(stdout)
    assert.equal(shown.version, `1.0.${published}`)
    assert.ok(shown['dist.tarball'].startsWith(`${origin}/`), shown['dist.tarball'])
    await npm('pack', `world-package@1.0.${published}`)
  },
}

/** Programs from npm. */
export const nodePrograms = [next, nest, fastify, svelteKit, socketIo, nodeRed, verdaccio]
