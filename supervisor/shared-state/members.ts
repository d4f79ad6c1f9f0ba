import { type Clock, onTicks, restTickMs } from '../base/clock.ts'
import type { Evaluate } from './locks.ts'
import type { SharedKeys } from './names.ts'
import { beatScript, leaveScript, membersScript } from './scripts.ts'
import type { Member, SharedState } from './state.ts'

/** Time after which a member without a sign of life is forgotten. */
const forgottenMs = 300_000

/** Dependencies of members. */
export interface MembersDeps {
  clock: Clock
  evaluate: Evaluate
  keys: SharedKeys
  id: string
}

/** Members of the shared state, of which this instance is one while it runs. */
export interface Members extends Pick<SharedState, 'members' | 'introduce'> {
  /** Gives a sign of life. A failure is ignored: the connection reports it. */
  beat(): Promise<void>
  /** Ends the signs of life. `isConnected`: whether the others can be told. */
  leave(isConnected: boolean): Promise<void>
}

/** Creates the members, with a sign of life of this instance every ten seconds. */
export function createMembers({ clock, evaluate, keys, id }: MembersDeps): Members {
  const names = [keys.members, keys.descriptions]
  let describe: () => Record<string, unknown> = () => ({})

  async function beat(): Promise<void> {
    await evaluate(beatScript, names, [id, JSON.stringify(describe()), String(forgottenMs)]).catch(() => {})
  }

  const cancel = onTicks(clock, restTickMs, beat)
  return {
    beat,
    async members() {
      const reply = await evaluate(membersScript, names, [])
      return readMembers(Array.isArray(reply) ? reply.map(String) : [])
    },
    introduce(next) {
      describe = next
      void beat()
    },
    async leave(isConnected) {
      cancel()
      if (isConnected) await evaluate(leaveScript, names, [id]).catch(() => {})
    },
  }
}

function readMembers(reply: readonly string[]): Member[] {
  const members: Member[] = []
  for (let at = 0; at + 2 < reply.length; at += 3) {
    const [id = '', age = '', text = ''] = reply.slice(at, at + 3)
    members.push({ id, ageMs: Math.max(0, Number(age)), info: readInfo(text) })
  }
  return members
}

/** What another program wrote must not fail. */
function readInfo(text: string): Record<string, unknown> {
  try {
    const info: unknown = JSON.parse(text)
    return typeof info === 'object' && info !== null && !Array.isArray(info) ? (info as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
