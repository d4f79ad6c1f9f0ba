import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ask } from './ask.ts'
import { startContainer, until } from './docker.ts'

const app = `require('node:http').createServer((request, response) => {
  if (request.url === '/eat') for (const all = []; ; ) all.push(Buffer.alloc(16 << 20, 1))
  response.end('well')
}).listen(3000)`

describe('a worker that the OOM killer ends', () => {
  it('is reported as that, with the limit, and is replaced', async t => {
    const container = await startContainer(t, {
      args: ['--memory', '256m', '--memory-swap', '256m', '--env', 'MONOHULL_WORKERS=1'],
      command: ['monohull', 'run', 'node', '-e', app],
    })
    const origin = await container.https()
    await ask(`${origin}/eat`, { method: 'POST' }).catch(() => {})
    await until('the record', async () =>
      /worker died .*exit="signal SIGKILL \(out of memory\)" reason="the kernel killed it: .* limited to 256 MB;/.test(
        await container.logs(),
      ),
    )
    await until('the next worker', async () => (await ask(`${origin}/`)).status === 200)
    assert.equal(await container.inspect('{{.State.Running}}'), 'true')
  })
})
