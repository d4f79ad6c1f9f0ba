import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../../supervisor/base/adapters/system-clock.ts'
import type { Log } from '../../../supervisor/base/log.ts'
import { certificateStore } from '../../../supervisor/certificates/adapters/store.ts'
import { localCertificate } from '../../../supervisor/certificates/local-ca/certificate.ts'

/** What a thread that stands for an instance is given. */
export interface LocalStart {
  folder: string
  name: string
  rounds: number
  threads: number
  /** Counts the threads that are ready for their next round. */
  ready: Int32Array
}

const { folder, name, rounds, threads, ready } = workerData as LocalStart
const quiet = () => {}
const log: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
await certificateStore.localAuthority()
const ids: string[] = []
for (let round = 0; round < rounds; round++) {
  // all at once, each round with a state directory of its own
  Atomics.add(ready, 0, 1)
  Atomics.notify(ready, 0)
  for (let count = Atomics.load(ready, 0); count < (round + 1) * threads; count = Atomics.load(ready, 0))
    Atomics.wait(ready, 0, count)
  const settings = {
    certDir: '/certs',
    stateDir: join(folder, String(round)),
    runDir: join(folder, name, String(round)),
  }
  const { authority, certificate } = await localCertificate(
    certificateStore,
    { ...settings, hostname: name, names: ['example.com'] },
    { clock: systemClock, log },
  )
  ids.push(`${authority.certificate.id} ${certificate.id}`)
}
parentPort?.postMessage(ids)
