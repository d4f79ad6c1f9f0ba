import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '../../../supervisor/base/log.ts'
import { createRotation } from '../../../supervisor/nginx/rotation.ts'
import { createHandClock } from '../hand-clock.ts'
import { systemError } from '../refusing-system.ts'

function setUp() {
  const { clock, advance, waiting } = createHandClock()
  const lines: string[] = []
  const nginx: { refusal?: Error | undefined; told: number } = { told: 0 }
  const log = createLog({ format: 'text', level: 'info', now: () => 0, write: line => void lines.push(line) })
  const rotation = createRotation(
    async () => {
      nginx.told++
      if (nginx.refusal) throw nginx.refusal
    },
    { clock, log },
  )
  return { rotation, nginx, lines, advance, waiting }
}

describe('a rotation that nginx cannot be told of', { timeout: 5000 }, () => {
  for (const code of ['ENOSPC', 'EMFILE', 'EAGAIN'] as const) {
    it(`by ${code} settles, is reported once, and reaches nginx when it can`, async () => {
      const { rotation, nginx, lines, advance, waiting } = setUp()
      nginx.refusal = systemError(code, 'open')
      await rotation.changed()
      assert.equal(lines.length, 1)
      assert.match(lines[0] ?? '', new RegExp(`error="${code}.*; `))
      await advance(60_000)
      assert.equal(lines.length, 1)
      assert.ok(nginx.told > 5 && nginx.told < 15, `told ${nginx.told} times`)
      nginx.refusal = undefined
      await advance(30_000)
      const { told } = nginx
      await advance(600_000)
      assert.equal(nginx.told, told)
      assert.equal(waiting(), 0)
    })
  }

  it('is told at once when it changes again, and once', async () => {
    const { rotation, nginx, advance, waiting } = setUp()
    nginx.refusal = systemError('ENOSPC', 'write')
    await rotation.changed()
    nginx.refusal = undefined
    await Promise.all([rotation.changed(), rotation.changed()])
    assert.deepEqual([nginx.told, waiting()], [2, 0])
    await advance(60_000)
    assert.equal(nginx.told, 2)
  })

  it('reports another reason too', async () => {
    const { rotation, nginx, lines } = setUp()
    for (const code of ['ENOSPC', 'EAGAIN'] as const) {
      nginx.refusal = systemError(code, 'write')
      await rotation.changed()
    }
    assert.equal(lines.length, 2)
  })
})
