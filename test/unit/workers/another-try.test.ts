import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { renderAddress } from '../../../supervisor/workers/app-upstream.ts'
import { createFaultyPool } from './faulty-pool.ts'

/** A pool of three, and where another try goes after some at an address. */
async function start(listen: 'inherit' | 'port') {
  const faulty = createFaultyPool({ count: 3, entries: listen === 'port' ? 0 : 6, listen })
  await faulty.serve()
  const addresses = faulty.pool.addresses().map(({ address }) => renderAddress(address))
  const next = (failed: string, isSuspect: boolean) => {
    const address = faulty.pool.addressAfter(failed, isSuspect)
    return address && renderAddress(address)
  }
  return { faulty, addresses, next }
}

describe('another try of a request', () => {
  it('goes to the other workers in turn', async () => {
    const { addresses, next } = await start('inherit')
    const [one = '', two, three] = addresses
    assert.deepEqual(new Set([next(one, false), next(one, false)]), new Set([two, three]))
  })

  it('waits for the next worker in the slot if it may end another one, whichever entry it came by', async () => {
    const { addresses, next } = await start('inherit')
    const [one = '', , , four = ''] = addresses
    assert.deepEqual([next(one, true), next(four, true)], [one, one])
  })

  it('goes to another worker even so if there is nothing to wait at', async () => {
    const { addresses, next } = await start('port')
    const [one = ''] = addresses
    assert.ok(addresses.slice(1).includes(next(one, true) ?? ''))
  })

  it('waits for the next worker if no other serves', async () => {
    const faulty = createFaultyPool({ count: 1, entries: 2 })
    await faulty.serve()
    const [only] = faulty.pool.addresses()
    assert.ok(only)
    assert.deepEqual(faulty.pool.addressAfter(renderAddress(only.address), false), only.address)
  })
})
