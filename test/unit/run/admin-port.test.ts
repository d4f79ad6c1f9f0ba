import assert from 'node:assert/strict'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import type { AdminOptions } from '../../../supervisor/run/adapters/admin-app.ts'
import { openAdminPort } from '../../../supervisor/run/admin-port.ts'
import type { Settings } from '../../../supervisor/site/settings.ts'

interface Admin {
  port?: number
  bind: string
  token?: string
  actions: boolean
}

const settingsOf = (admin: Admin) => ({ config: { admin } }) as Settings

async function open(t: TestContext, admin: Admin) {
  let inForce = settingsOf(admin)
  const log = { info() {} } as never
  const options = { page: { home: '', feed: async () => undefined } } as unknown as AdminOptions
  const subject = await openAdminPort({ settings: () => inForce }, { log, options })
  t.after(() => subject.close?.())
  const reload = async (next: Admin) => {
    const change = await subject.prepare?.(settingsOf(next))
    inForce = settingsOf(next)
    await change?.commit?.()
  }
  return { subject, reload }
}

const local = { bind: '127.0.0.1', actions: false }
const isOpen = async (address: string | undefined) => {
  const socket = net.connect(Number(address?.split(':').at(-1)), '127.0.0.1')
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return connected
}

describe('run/admin-port', () => {
  it('opens, moves and closes the port on reloads', async t => {
    const { subject, reload } = await open(t, local)
    assert.deepEqual(subject.status?.(), {})
    await reload({ ...local, port: 0 })
    const first = subject.address()
    assert.deepEqual(subject.status?.(), { admin: { address: first, requiresToken: false, actions: false } })
    assert.equal(await isOpen(first), true)
    await reload({ ...local, port: 0, bind: '127.0.0.2' })
    assert.match(`${subject.address()}`, /^127\.0\.0\.2:/)
    assert.equal(await isOpen(first), false)
    await reload(local)
    assert.equal(subject.address(), undefined)
  })

  it('says that the port is taken, and keeps the former one then', async t => {
    const other = net.createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    t.after(() => other.close())
    const { port } = other.address() as AddressInfo
    const { subject, reload } = await open(t, { ...local, port: 0 })
    await assert.rejects(reload({ ...local, port }), {
      message: `cannot listen on admin.port 127.0.0.1:${port}: another program listens there`,
      fix: 'stop that program, or set another admin.port',
    })
    assert.equal(await isOpen(subject.address()), true)
  })

  it('cannot bind the same port to another address without a restart', async t => {
    const { subject } = await open(t, { ...local, port: 0 })
    assert.equal(subject.fixed?.(settingsOf({ ...local, port: 0, bind: '0.0.0.0' })), undefined)
    assert.equal(subject.fixed?.(settingsOf(local)), undefined)
  })
})
