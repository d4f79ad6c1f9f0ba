import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Exit } from '../../../supervisor/processes/exit.ts'
import { createOomWatch } from '../../../supervisor/processes/oom-watch.ts'

const killed: Exit = { kind: 'signal', signal: 'SIGKILL', number: 9 }
const victim: Exit = { ...killed, isOutOfMemory: true }

function watchWith(initialKills: number) {
  let kills = initialKills
  const watch = createOomWatch({ oomKills: () => kills, limit: () => 2 ** 28 })
  return { watch, kill: () => void kills++ }
}

describe('processes/oom-watch', () => {
  it('marks one exit for each victim that the kernel counts', () => {
    const { watch, kill } = watchWith(3)
    assert.deepEqual(watch.judge(killed), killed)
    kill()
    kill()
    assert.deepEqual(watch.judge(killed), victim)
    assert.deepEqual(watch.judge(killed), victim)
    assert.deepEqual(watch.judge(killed), killed)
  })

  it('ignores other exits, and victims that are not workers', () => {
    const { watch, kill } = watchWith(0)
    kill()
    assert.deepEqual(watch.judge({ kind: 'code', code: 1 }), { kind: 'code', code: 1 })
    assert.deepEqual(watch.judge(killed), killed)
  })
})
