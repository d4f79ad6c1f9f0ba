// needs: docker-compose openssl
// before a release: a minute and a half of a core
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { makeCertificate } from '../make-certificate.ts'
import { ask } from './ask.ts'
import { startProject } from './compose.ts'
import { buildExample, docker, image, labelOfRun, startContainer, until } from './docker.ts'

const timeout = 400_000

describe('examples of the front, when something fails', () => {
  it('flask-load-balanced: no GET is lost when a server stops, nor when one is killed and comes back elsewhere', {
    timeout,
  }, async t => {
    const { compose, origin } = await startProject(t, 'flask-load-balanced')
    const front = await origin(8080)
    const answersOn = (port: string) => async () =>
      (await ask(front).catch(() => undefined))?.body.includes(`"${port}"`)
    for (const port of ['5000', '5001']) await until(`the server on ${port}`, answersOn(port))
    assert.deepEqual(await statusesWhile(front, () => compose('stop', 'api-1')), [200])
    await compose('start', 'api-1')
    await until('the server that was stopped', answersOn('5000'))
    const moving = await compose('ps', '--quiet', 'api-2')
    assert.deepEqual(await statusesWhile(front, () => moveElsewhere(moving)), [200])
    await until('the server that moved', answersOn('5001'))
  })

  it('flask-reverse-proxy: the app is found where it has moved to, and wherever there are more of it', {
    timeout,
  }, async t => {
    const { compose, origin } = await startProject(t, 'flask-reverse-proxy')
    const front = await origin(80)
    const answers = async () => (await ask(front).catch(() => undefined))?.status === 200
    await until('the app', answers)
    const id = await compose('ps', '--quiet', 'app')
    await moveElsewhere(id)
    await until('the app at its new address', answers)
    await compose('up', '--detach', '--scale', 'app=3')
    let status = ''
    await until('three apps', async () => {
      status = await compose('exec', '-T', 'front', 'monohull', 'status')
      return (status.match(/\) +up /g) ?? []).length === 3
    }).catch(error => assert.fail(`${error.message}\n${status}`))
  })

  it('https-gunicorn: does not start with a certificate that is broken', {
    timeout,
  }, async t => {
    const exampleImage = await buildExample(t, 'https-gunicorn')
    const certs = mkdtempSync(join(tmpdir(), 'monohull-certs-'))
    t.after(() => rmSync(certs, { recursive: true, force: true }))
    makeCertificate(certs, 'shop.test', { chain: 'fullchain.pem', key: 'other.pem' })
    makeCertificate(certs, 'shop.test', { chain: 'fullchain.pem', key: 'privkey.pem' })
    const start = (key: string) => {
      const files = { 'fullchain.pem': 'fullchain.pem', 'privkey.pem': key }
      const args = Object.entries(files).flatMap(([name, file]) => ['--volume', `${certs}/${file}:/certs/${name}:ro`])
      return startContainer(t, { image: exampleImage, args, waits: false })
    }
    writeFileSync(join(certs, 'empty.pem'), '')
    for (const [key, reason] of [
      ['other.pem', /does not belong to the certificate/],
      ['empty.pem', /is empty/],
    ] as const) {
      const broken = await start(key)
      assert.equal(await broken.ended(), 78)
      assert.match(await broken.logs(), reason)
    }
  })

  for (const example of ['spa-websocket', 'node-ssr', 'asgi'])
    it(`${example}: serves without root, capabilities and a writable file system`, { timeout }, async t => {
      const confined = ['--user', '12345', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges']
      const args = [...confined, '--read-only', '--tmpfs', '/run', '--tmpfs', '/tmp']
      const container = await startContainer(t, { image: await buildExample(t, example), args })
      assert.equal((await ask(`${await container.https()}/`)).status, 200)
      assert.deepEqual([...new Set((await container.processes()).map(({ uid }) => uid))], [12345])
      await docker(['stop', container.id])
      assert.equal(await container.ended(), 0)
    })
})

const addressOf = (id: string) =>
  docker(['inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', id])

/** Kills a container, and starts it again at another address: another one takes its own meanwhile, as the first that is free. */
async function moveElsewhere(id: string): Promise<void> {
  const networks = '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}'
  const network = await docker(['inspect', '--format', networks, id])
  const before = await addressOf(id)
  await docker(['kill', id])
  const taker = await docker(['run', '--detach', '--label', labelOfRun, '--network', network, image, 'sleep', '600'])
  try {
    await docker(['start', id])
    assert.notEqual(await addressOf(id), before)
  } finally {
    await docker(['rm', '--force', taker])
  }
}

/** The different statuses of the answers that come until something is done. */
async function statusesWhile(url: string, act: () => Promise<unknown>): Promise<number[]> {
  let isDone = false
  const statuses = new Set<number>()
  const asking = (async () => {
    while (!isDone) statuses.add((await ask(url)).status)
  })()
  await act().finally(() => {
    isDone = true
  })
  await asking
  return [...statuses]
}
