import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ask } from './ask.ts'
import { docker, repository, startContainer, until } from './docker.ts'

const slowApp = {
  args: ['--volume', `${repository}test/fixtures/image/slow:/app:ro`],
  command: ['monohull', 'run', 'node', 'server.mjs'],
}
const dockerGraceMs = 10_000

describe('docker stop', { concurrency: 3 }, () => {
  it('exits 0 within the default grace, also with a shell as the command, and a slow request in flight is finished', async t => {
    const container = await startContainer(t, {
      ...slowApp,
      command: ['/bin/sh', '-c', 'monohull run node server.mjs'],
    })
    const answer = ask(`${await container.https()}/?ms=3000`)
    await until('the request is in the app', async () => (await container.logs()).includes('slow request begun'))
    const from = Date.now()
    await docker(['stop', container.id])
    assert.ok(Date.now() - from < dockerGraceMs)
    const { status, body } = await answer
    assert.deepEqual({ status, body }, { status: 200, body: 'slow answer' })
    assert.equal(await container.ended(), 0)
  })

  it('ends in time even when a request takes longer than that', async t => {
    const container = await startContainer(t, slowApp)
    const answer = ask(`${await container.https()}/?ms=60000`, { timeoutMs: 60_000 }).catch(() => undefined)
    await until('the request is in the app', async () => (await container.logs()).includes('slow request begun'))
    await docker(['stop', container.id])
    // 137 would mean that docker had to kill it
    assert.equal(await container.ended(), 0)
    assert.notEqual((await answer)?.status, 200)
  })

  it('leaves nothing in the way of docker restart', async t => {
    const container = await startContainer(t)
    await docker(['restart', container.id])
    await container.waitUntilReady()
    assert.equal((await ask(`${await container.https()}/`)).status, 200)
  })
})

describe('the supervisor killed with -9', { concurrency: 2 }, () => {
  it('ends the container with 137, and docker start serves again from what is left', async t => {
    const container = await startContainer(t)
    await container.signal('SIGKILL')
    assert.equal(await container.ended(10_000), 137)
    await docker(['start', container.id])
    await container.waitUntilReady()
    assert.equal((await ask(`${await container.https()}/`)).status, 200)
  })

  it("is put right by Docker's restart policy", async t => {
    const container = await startContainer(t, { args: ['--restart', 'on-failure:3'] })
    await container.signal('SIGKILL')
    await until('docker restarts it', async () => (await container.inspect('{{.RestartCount}}')) === '1')
    await container.waitUntilReady()
  })
})

describe('the supervisor frozen with SIGSTOP', () => {
  it('keeps no request waiting; Docker reports unhealthy; SIGCONT mends it', async t => {
    const container = await startContainer(t, { args: ['--health-interval', '1s', '--health-retries', '1'] })
    const waitFor = (health: string) =>
      until(`docker reports ${health}`, async () => (await container.inspect('{{.State.Health.Status}}')) === health)
    // until the first success Docker counts no failure
    await waitFor('healthy')
    const https = await container.https()
    await container.signal('SIGSTOP')
    for (let request = 0; request < 20; request++) {
      assert.equal((await ask(`${https}/`, { timeoutMs: 2000 })).status, 200)
    }
    await waitFor('unhealthy')
    await container.signal('SIGCONT')
    await waitFor('healthy')
  })
})
