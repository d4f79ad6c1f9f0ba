import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '../base/adapters/system-clock.ts'
import { pause } from '../base/clock.ts'
import { asOperatorError, exitCode, messageOf, OperatorError } from '../base/errors.ts'
import type { World } from '../base/world.ts'
import { readMemoryGroup } from '../processes/adapters/cgroup.ts'
import { borrow } from '../run/adapters/admin-lease.ts'
import { connectDevtools, type Devtools } from './adapters/devtools.ts'
import { printOutcome, socketOf } from './control.ts'
import { readDuration } from './duration-option.ts'
import type { CommandLine } from './load.ts'

/** Parsed arguments of `monohull profile`. */
export interface ProfileArguments {
  worker: string
  /** Duration of a CPU profile, such as `10s`; undefined: none. */
  cpu: string | undefined
  isHeap: boolean
  /** File to write; `-` is stdout. Default: named after the worker and the time, in the current directory. */
  output: string | undefined
  isForced: boolean
  isJson: boolean
}

/** Bounds of a CPU profile. The worker keeps it in memory. */
const cpuBounds = { min: '1ms', max: '10m' }
/** Time for a heap snapshot, during which the worker does nothing else. */
const heapTimeoutMs = 600_000

/** Records a profile of a Node worker into a file that Chrome's DevTools open. */
export async function profile(commandLine: CommandLine, world: World, given: ProfileArguments): Promise<number> {
  const cpuMs = readKind(given)
  const socket = await socketOf(commandLine, world)
  const found = await borrow<{ address: string; pid: number }>(socket, `/profile/${encodeURIComponent(given.worker)}`)
  if (!found.ok)
    return printOutcome(
      { ...found, message: `cannot record a profile of ${given.worker}` },
      given.isJson ? 'json' : 'text',
    )
  const { lent, release } = found
  try {
    if (cpuMs === undefined && !given.isForced) expectMemory(given.worker, lent.pid)
    const file = openFile(given, cpuMs === undefined ? 'heapsnapshot' : 'cpuprofile')
    try {
      const devtools = await connectDevtools(lent.address)
      if (cpuMs === undefined) await recordHeap(devtools, file)
      else await recordCpu(devtools, file, cpuMs)
      devtools.close()
    } catch (error) {
      file.discard()
      throw new OperatorError(`cannot record a profile of ${given.worker}: ${messageOf(error)}`, {
        fix: 'try again; monohull deaths shows whether the worker has ended',
        code: exitCode.failed,
      })
    }
    report(file.end(), given, cpuMs === undefined ? 'Memory' : 'Performance')
    return exitCode.ok
  } finally {
    release()
  }
}

/** Duration of the CPU profile in ms; undefined for a heap snapshot. */
function readKind({ cpu, isHeap }: ProfileArguments): number | undefined {
  const wrong = (problem: string) =>
    new OperatorError(problem, { fix: 'monohull profile app.1 --cpu 10s, or --heap', code: exitCode.usage })
  if (isHeap === (cpu !== undefined)) throw wrong('monohull profile needs either --cpu or --heap')
  return cpu === undefined ? undefined : readDuration('--cpu', cpu, cpuBounds)
}

async function recordCpu(devtools: Devtools, file: ProfileFile, ms: number): Promise<void> {
  await devtools.send('Profiler.enable')
  await devtools.send('Profiler.start')
  process.stderr.write(`monohull: recording for ${ms / 1000} s; Ctrl-C ends it earlier\n`)
  const early = new AbortController()
  const stop = () => early.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  void devtools.closed.then(stop)
  await pause(systemClock, ms, early.signal).catch(() => {})
  process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop)
  const { profile: recorded } = await devtools.send('Profiler.stop', {}, heapTimeoutMs)
  file.write(JSON.stringify(recorded))
}

async function recordHeap(devtools: Devtools, file: ProfileFile): Promise<void> {
  process.stderr.write('monohull: taking a heap snapshot; the worker responds to no request meanwhile\n')
  let failure: unknown
  devtools.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => {
    try {
      if (failure === undefined) file.write(String(chunk))
    } catch (error) {
      failure = error
    }
  })
  await devtools.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false }, heapTimeoutMs)
  if (failure !== undefined) throw failure
}

/** Throws an OperatorError if a snapshot may use up the memory of the container: the worker needs about as much again. */
function expectMemory(worker: string, pid: number): void {
  const rss = Number(/^VmRSS:\s+(\d+)/m.exec(readText(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
  const group = readMemoryGroup()
  const [limit, used] = [group.limit(), group.used()]
  if (limit === undefined || used === undefined || limit - used > rss) return
  const mb = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`
  throw new OperatorError(
    `a heap snapshot of ${worker} may need ${mb(rss)} more, and the container has ${mb(Math.max(0, limit - used))} left of ${mb(limit)}`,
    { fix: 'raise its memory limit, or risk it with --force', code: exitCode.failed },
  )
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

interface ProfileFile {
  write(text: string): void
  /** Closes it and returns its path and size. */
  end(): { path: string; bytes: number }
  discard(): void
}

/** A new file that only its owner may read: a heap contains secrets. */
function openFile({ worker, output }: ProfileArguments, extension: string): ProfileFile {
  const time = new Date(systemClock.now()).toISOString().replace(/[-:]|\.\d+/g, '')
  const path = output === '-' ? '-' : resolve(output ?? `${worker}-${time}.${extension}`)
  const descriptor = path === '-' ? 1 : create(path)
  let bytes = 0
  return {
    write(text) {
      const all = Buffer.from(text)
      for (let done = 0; done < all.length; ) done += writeSync(descriptor, all, done)
      bytes += all.length
    },
    end() {
      if (path !== '-') closeSync(descriptor)
      return { path, bytes }
    },
    discard() {
      if (path === '-') return
      closeSync(descriptor)
      rmSync(path, { force: true })
    },
  }
}

function create(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (thrown) {
    const error = asOperatorError(thrown, `write ${path}`)
    if (!(error instanceof OperatorError)) throw error
    throw new OperatorError(error.message, { fix: 'name another file with --output, or - for stdout', code: 1 })
  }
}

function report({ path, bytes }: { path: string; bytes: number }, { isJson }: ProfileArguments, tab: string): void {
  if (isJson && path !== '-')
    return void process.stdout.write(`${JSON.stringify({ ok: true, file: path, bytes }, null, 2)}\n`)
  const stream = path === '-' ? process.stderr : process.stdout
  const where = path === '-' ? 'the profile' : path
  const copy = process.getuid?.() === undefined || path === '-' ? '' : `\n  from a container: docker cp NAME:${path} .`
  stream.write(
    `monohull: wrote ${where} (${Math.ceil(bytes / 1024)} KB); load it in Chrome's DevTools, tab ${tab}${copy}\n`,
  )
}
