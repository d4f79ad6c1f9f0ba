import { formatAddress } from '../../../base/address.ts'
import { messageOf } from '../../../base/errors.ts'
import type { RedisAddress, RedisUrl } from '../url.ts'
import { type Client, connectClient } from './client.ts'
import { socketTo } from './open-server.ts'

/** Sentinels, and the name of the master that they know. */
export type Sentinels = Extract<RedisUrl['at'], { kind: 'sentinels' }>

/** Question to Sentinels over a connection that is kept. */
export interface MasterQuestion {
  /** Address of the master. Rejects if no Sentinel names one. */
  ask(): Promise<RedisAddress>
  close(): void
}

/** Login at Sentinels, which have users of their own. */
export interface SentinelLogin {
  isTls: boolean
  sentinelUsername: string | undefined
  sentinelPassword: string | undefined
}

/** Question to the first of some Sentinels that responds. */
export function createMasterQuestion({ sentinels, master }: Sentinels, login: SentinelLogin): MasterQuestion {
  let kept: Client | undefined
  let isClosed = false

  async function connect(sentinel: RedisAddress): Promise<Client> {
    const { sentinelUsername: username, sentinelPassword: password } = login
    const options = { socket: socketTo(sentinel, login.isTls), username, password, database: 0 }
    const client = await connectClient(options, { version: 2 }, { onLost: forget })
    if (!isClosed) return client
    client.close()
    throw new Error('closed')
  }

  function forget(): void {
    kept?.close()
    kept = undefined
  }

  async function askOne(client: Client): Promise<RedisAddress> {
    const reply = await client.call(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master])
    const [host, port] = Array.isArray(reply) ? reply.map(String) : []
    if (host === undefined) throw new Error('does not know it')
    return { host, port: Number(port) }
  }

  return {
    async ask() {
      const known = kept && (await askOne(kept).catch(() => undefined))
      if (known) return known
      forget()
      const reasons: string[] = []
      for (const sentinel of sentinels) {
        try {
          kept = await connect(sentinel)
          return await askOne(kept)
        } catch (error) {
          forget()
          reasons.push(`${formatAddress(sentinel.host, sentinel.port)} ${messageOf(error)}`)
        }
      }
      throw new Error(`no Sentinel names the master ${master}: ${reasons.join('; ')}`)
    },
    close() {
      isClosed = true
      forget()
    },
  }
}
