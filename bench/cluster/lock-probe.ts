// Acquires and releases a lock of its own again and again, in a process of its own, which the simulated replicas do not slow down:
// lock-probe.ts URL. For each line on its standard input it prints the times that one acquisition took since the last line, in ms, as JSON.
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { createQuietLog, openState } from './replica.ts'

const everyMs = 20

const state = openState(
  process.argv[2] ?? '',
  createQuietLog(line => process.stderr.write(line)),
)
let times: number[] = []
createInterface({ input: process.stdin })
  .on('line', () => {
    process.stdout.write(`${JSON.stringify(times)}\n`)
    times = []
  })
  .once('close', () => process.exit())
while (state.problem() !== undefined) await pause(everyMs)
for (;;) {
  const begun = performance.now()
  const lock = await state.acquire('probe').catch(() => undefined)
  times.push(performance.now() - begun)
  await lock?.release()
  await pause(everyMs)
}
