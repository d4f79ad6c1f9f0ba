import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Output } from '../../../supervisor/logs/adapters/output.ts'
import { dropping, tee } from '../../../supervisor/logs/wrapped-outputs.ts'

function fake() {
  const lines: string[] = []
  let room: { promise: Promise<void>; resolve: () => void } | undefined
  const output: Output = {
    write: data => void lines.push(data.toString()),
    full: () => room?.promise,
    end: async () => true,
  }
  return {
    output,
    lines,
    block() {
      room = Promise.withResolvers<void>()
    },
    release() {
      room?.resolve()
      room = undefined
    },
  }
}

describe('logs/wrapped-outputs', () => {
  it('drop: writers never wait, and what is dropped is counted', async () => {
    const { output, lines, block, release } = fake()
    let dropped = 0
    const reports: number[] = []
    const bounded = dropping(output, { onDropped: count => (dropped += count), onRoom: sum => reports.push(sum) })
    bounded.write('a\n')
    block()
    bounded.write('b\nc\n')
    bounded.write(Buffer.from('d\n'))
    assert.equal(bounded.full(), undefined)
    assert.deepEqual([lines, dropped, reports], [['a\n'], 3, []])
    release()
    await new Promise(setImmediate)
    bounded.write('e\n')
    assert.deepEqual([lines, reports], [['a\n', 'e\n'], [3]])
  })

  it('tee: both get everything, and writers wait for each', () => {
    const [one, other] = [fake(), fake()]
    const both = tee(one.output, other.output)
    both.write('a\n')
    assert.deepEqual([one.lines, other.lines], [['a\n'], ['a\n']])
    assert.equal(both.full(), undefined)
    other.block()
    assert.ok(both.full())
  })
})
