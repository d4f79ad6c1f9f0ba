import type { Evaluate } from './locks.ts'
import type { SharedKeys } from './names.ts'
import { removeScript, writeScript } from './scripts.ts'
import type { SharedState, WriteConditions, WriteResult } from './state.ts'

/** Dependencies of records. */
export interface RecordsDeps {
  call: (words: readonly string[]) => Promise<unknown>
  evaluate: Evaluate
  keys: SharedKeys
}

/** Records, whose writes Redis only performs under their conditions. */
export function createRecords({ call, evaluate, keys }: RecordsDeps): Pick<SharedState, 'read' | 'write' | 'remove'> {
  async function change(
    script: string,
    name: string,
    conditions: WriteConditions,
    values: readonly string[],
  ): Promise<WriteResult> {
    const { lock, version } = conditions
    const reply = await evaluate(
      script,
      [keys.record(name), keys.lock(lock?.name ?? ''), keys.counter],
      [String(version ?? ''), lock?.value ?? '', String(lock?.token ?? ''), ...values],
    )
    if (reply === 'lost' || reply === 'conflict') return { kind: reply }
    return { kind: 'written', version: Number(reply) }
  }

  return {
    async read(name) {
      const reply = await call(['HMGET', keys.record(name), 'value', 'version'])
      const [value, version] = Array.isArray(reply) ? reply : []
      return version === null || version === undefined ? undefined : { value: String(value), version: Number(version) }
    },
    write: (name, value, { ttlMs, ...conditions } = {}) =>
      change(writeScript, name, conditions, [value, ttlMs === undefined ? '' : String(Math.ceil(ttlMs))]),
    remove: (name, conditions = {}) => change(removeScript, name, conditions, []),
  }
}
