import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { countConnections, countIn } from '../../../supervisor/processes/adapters/unix-connections.ts'

describe('processes/adapters/unix-connections', () => {
  it('counts open connections and those that wait, and neither listening sockets nor clients', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'monohull-connections-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'with space.sock')
    const server = net.createServer().listen(path)
    await once(server, 'listening')
    t.after(() => server.close())
    const count = () => countConnections(candidate => candidate === path)
    assert.equal(count(), 0)
    const client = net.connect(path)
    await once(server, 'connection')
    assert.equal(count(), 1)
    client.destroy()
    assert.equal(
      countConnections(() => false),
      0,
    )
  })

  it('reads the states of the kernel', () => {
    const line = (flags: string, state: string, path: string) =>
      `00000000ffff: 00000002 00000000 ${flags} 0001 ${state}   123${path}`
    const text = [
      'Num       RefCount Protocol Flags    Type St Inode Path',
      line('00010000', '01', ' /run/app-1.1.sock'),
      line('00000000', '02', ' /run/app-1.1.sock'),
      line('00000000', '03', ' /run/app-1.1.sock'),
      line('00000000', '03', ' /run/api-1.1.sock'),
      line('00000000', '03', ''),
    ].join('\n')
    assert.equal(
      countIn(text, path => path === '/run/app-1.1.sock'),
      2,
    )
  })
})
