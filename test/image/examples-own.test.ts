// before a release: two minutes of a core, most of them in installing packages
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ask } from './ask.ts'
import { buildDerived, buildExample, docker, startContainer } from './docker.ts'

const buildTimeout = 240_000

describe('images of examples/', () => {
  // the others differ in nothing that test/process/examples.test.ts does not show; go wants a base image from a registry
  for (const name of ['asgi', 'c', 'port-only', 'typescript']) {
    it(name, { timeout: buildTimeout }, async t => {
      const container = await startContainer(t, { image: await buildExample(t, name) })
      const https = await container.https()
      const { status, body } = await ask(`${https}/`)
      assert.equal(status, 200)
      const { app, protocol, worker } = JSON.parse(body)
      assert.deepEqual([app, protocol], [name, 'https'])
      assert.match(worker, /^app\.\d+$/)
      assert.equal((await ask(`${https}/echo`, { method: 'POST', body: 'hello' })).body, 'hello')
      await docker(['stop', container.id])
      assert.equal(await container.ended(), 0)
    })
  }
})

describe('an image with a Python app', () => {
  it('Flask under Gunicorn, which takes its socket as fd://3', { timeout: buildTimeout }, async t => {
    const container = await startContainer(t, { image: await buildDerived(t, 'flask') })
    const https = await container.https()
    const { status, body } = await ask(`${https}/`)
    assert.equal(status, 200)
    const { app, protocol } = JSON.parse(body)
    assert.deepEqual({ app, protocol }, { app: 'flask', protocol: 'https' })
    const sent = 'x'.repeat(100_000)
    assert.equal((await ask(https, { method: 'POST', body: sent })).body, sent)
    await docker(['stop', container.id])
    assert.equal(await container.ended(), 0)
  })
})
