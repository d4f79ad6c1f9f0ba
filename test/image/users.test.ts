import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type Container, docker, type HostProcess, ownerOfSuite, startContainer } from './docker.ts'

const findKeys = 'grep -rlsE "^-----BEGIN ([A-Z]+ )?PRIVATE KEY-----$" /run /var/lib/monohull /certs /tmp'

describe('started as root', () => {
  const owner = ownerOfSuite()
  let container: Container
  let processes: HostProcess[]
  before(async () => {
    container = await startContainer(owner)
    processes = await container.processes()
  })
  const uidsOf = (pattern: RegExp) => [
    ...new Set(processes.filter(({ command }) => pattern.test(command)).map(({ uid }) => uid)),
  ]
  const as = (user: string, script: string) =>
    docker(['exec', '--user', user, container.id, 'sh', '-c', `${script}; true`])

  it("runs nginx's workers as www-data, the app's as app, and the rest as root", () => {
    assert.deepEqual(uidsOf(/^nginx: worker/), [33])
    assert.deepEqual(uidsOf(/app\/server\.cjs/), [10001])
    assert.deepEqual(uidsOf(/^nginx: master|launcher\.cjs|start\.sh/), [0])
  })

  it('keeps every private key from app and from www-data', async () => {
    assert.notEqual(await as('root', findKeys), '')
    assert.equal(await as('app', findKeys), '')
    assert.equal(await as('www-data', findKeys), '')
  })

  it('lets app neither reach the admin socket, nor the sockets of the other workers, nor change what runs', async () => {
    const connect = (path: string) =>
      `node -e "require('net').connect('${path}').on('connect', () => { console.log('reached'); process.exit() }).on('error', e => console.log(e.code))"`
    assert.equal(await as('root', connect('/run/monohull/admin.sock')), 'reached')
    assert.equal(await as('app', connect('/run/monohull/admin.sock')), 'EACCES')
    assert.equal(await as('app', connect('/run/monohull/app-1.sock')), 'EACCES')
    assert.equal(
      await as('app', 'find /app /run/monohull /opt/monohull /var/lib/monohull -writable ! -type l 2>/dev/null'),
      '',
    )
  })
})
