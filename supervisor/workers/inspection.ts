import type { Log } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Child } from '../processes/child.ts'
import type { WorkerPool } from './pool.ts'
import type { Worker } from './worker.ts'

/** Tries to close an inspector. Each takes two seconds while the worker is blocked. */
const closeTries = 30

type Failure = Extract<Outcome, { ok: false }>

/** Inspectors of Node workers, which a debugger connects to. */
export interface Inspection {
  /** Opens the inspector of a worker (`app.1`); the message says how to reach it. */
  open(worker: string): Promise<Outcome>
  close(worker: string): Promise<Outcome>
  /** Opens it for a profile. The worker may take any time for anything until `release` is called, which closes it unless it was open before. */
  lend(worker: string): Promise<LentInspector | Failure>
}

/** Inspector of a worker for a profile. */
export interface LentInspector {
  ok: true
  address: string
  /** Pid of the Node process. */
  pid: number
  release(): Promise<void>
}

/** Dependencies of the inspectors. */
export interface InspectionDeps {
  log: Log
  pools: ReadonlyMap<string, WorkerPool>
  /** Starts the inspector of a process of a child's group, at another address than the former ones. Undefined if it does not start. */
  openInspector(child: Child, pid: number, former: ReadonlySet<string>): Promise<string | undefined>
  closeInspector(address: string): Promise<boolean>
}

/** Inspectors, none of which is open. */
export function createInspection({ log, pools, openInspector, closeInspector }: InspectionDeps): Inspection {
  /** Open addresses by pid. */
  const addresses = new Map<number, string>()
  const former = new Set<string>()
  /** Workers, by pid, whose inspector is lent, and from its release on what settles when it is closed. */
  const lent = new Map<number, Promise<void> | undefined>()

  function find(name: string): { worker: Worker; pool: WorkerPool } | (Outcome & { ok: false }) {
    const pool = pools.get(name.replace(/\.\d+$/, ''))
    const worker = pool?.worker(name)
    if (pool && worker) return { worker, pool }
    const known = [...pools.values()].flatMap(other => other.status().map(status => status.name))
    return { ...cannot(name, `no worker of this name serves; choose from ${known.join(', ')}`), isUnknown: true }
  }

  /** Closes an inspector as soon as its worker does something else. */
  async function closeLent(name: string, address: string): Promise<void> {
    former.add(address)
    for (let tries = 0; tries < closeTries; tries++) if (await closeInspector(address)) return
    log.warn('the inspector stays open: the worker does not respond', {
      worker: name,
      address,
      fix: 'restart the worker',
    })
  }

  /** Inspector of a worker, which it opens if necessary. */
  async function reach(name: string) {
    const found = find(name)
    if (!('worker' in found)) return found
    const { worker, pool } = found
    const { child } = worker.process
    const [program = ''] = pool.plan().argv
    // SIGUSR1 ends a program that does not handle it
    const pid = worker.reports.nodePid()
    if (pid === undefined)
      return cannot(
        name,
        `it runs ${program}, not node; use a tool of its language (Python: debugpy, py-spy), or docker exec`,
      )
    const address = addresses.get(child.pid) ?? (await openInspector(child, pid, former))
    if (address === undefined)
      return cannot(name, 'it did not start its inspector: it handles SIGUSR1 itself, or has --disable-sigusr1')
    return { worker, child, pid, address }
  }

  return {
    async open(name) {
      const found = await reach(name)
      if (!('worker' in found)) return found
      const { worker, child, address } = found
      if (!addresses.has(child.pid)) log.warn('inspector opened', { worker: name, pid: child.pid, address })
      addresses.set(child.pid, address)
      worker.endHangWatch()
      return { ok: true, message: describeAccess(name, address) }
    },
    async lend(name) {
      const asked = find(name)
      if (!('worker' in asked)) return asked
      const { pid: group } = asked.worker.process.child
      await lent.get(group)
      if (lent.has(group)) return cannot(name, 'a profile of it is being recorded; try again when that has ended')
      lent.set(group, undefined)
      const found = await reach(name)
      if (!('worker' in found)) {
        lent.delete(group)
        return found
      }
      const { worker, pid, address } = found
      const endHold = worker.hold()
      log.info('profile begins', { worker: name, pid })
      return {
        ok: true,
        address,
        pid,
        release() {
          endHold()
          const ended = addresses.has(group) ? Promise.resolve() : closeLent(name, address)
          const released = ended.then(() => {
            lent.delete(group)
            log.info('profile ended', { worker: name, pid })
          })
          lent.set(group, released)
          return released
        },
      }
    },
    async close(name) {
      const found = find(name)
      if (!('worker' in found)) return found
      const { pid } = found.worker.process.child
      const address = addresses.get(pid)
      if (address === undefined) return cannot(name, 'its inspector was not opened by monohull inspect', 'close')
      if (!(await closeInspector(address))) return cannot(name, 'it does not respond; restart the worker', 'close')
      addresses.delete(pid)
      former.add(address)
      log.info('inspector closed', { worker: name, pid })
      return { ok: true, message: `the inspector of ${name} is closed` }
    },
  }
}

function cannot(worker: string, reason: string, what = 'open'): Outcome & { ok: false } {
  return { ok: false, message: `cannot ${what} the inspector of ${worker}`, reason }
}

function describeAccess(worker: string, address: string): string {
  const { host, port } = new URL(address)
  return [
    `the inspector of ${worker} listens on ${address}`,
    `  here:          node inspect ${host}, or chrome://inspect with ${host}`,
    `  in Docker:     docker exec -it NAME node inspect ${host}, or docker run --network host`,
    `  in Kubernetes: kubectl port-forward POD ${port}`,
    `  close it:      monohull inspect --close ${worker}`,
  ].join('\n')
}
