import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ask } from './ask.ts'
import { buildDerived, docker, startContainer } from './docker.ts'

const buildTimeout = 240_000

describe("an image with an app of one's own", () => {
  it('Express, by the four lines of the README', { timeout: buildTimeout }, async t => {
    const container = await startContainer(t, { image: await buildDerived(t, 'express') })
    const { status, body } = await ask(`${await container.https()}/`)
    assert.equal(status, 200)
    const { worker, ...rest } = JSON.parse(body)
    assert.deepEqual(rest, { app: 'express', protocol: 'https', uid: 10001 })
    assert.match(worker, /^app\.\d+$/)
  })

  it('an npm package with a server that knows nothing of monohull', { timeout: buildTimeout }, async t => {
    const container = await startContainer(t, { image: await buildDerived(t, 'http-server') })
    const { status, body } = await ask(`${await container.https()}/`)
    assert.equal(status, 200)
    assert.match(body, /served by http-server/)
    await docker(['stop', container.id])
    assert.equal(await container.ended(), 0)
  })
})
