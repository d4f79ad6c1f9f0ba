import type { Log } from '../base/log.ts'
import type { Outcome } from '../base/outcome.ts'
import type { Child } from '../processes/child.ts'
import type { WorkerPool } from './pool.ts'
import type { Worker } from './worker.ts'

/** Inspectors of Node workers, which a debugger connects to. */
export interface Inspection {
  /** Opens the inspector of a worker (`app.1`); the message says how to reach it. */
  open(worker: string): Promise<Outcome>
  close(worker: string): Promise<Outcome>
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

  function find(name: string): { worker: Worker; pool: WorkerPool } | (Outcome & { ok: false }) {
    const pool = pools.get(name.replace(/\.\d+$/, ''))
    const worker = pool?.worker(name)
    if (pool && worker) return { worker, pool }
    const known = [...pools.values()].flatMap(other => other.status().map(status => status.name))
    return { ...cannot(name, `no worker of this name serves; choose from ${known.join(', ')}`), isUnknown: true }
  }

  return {
    async open(name) {
      const found = find(name)
      if (!('worker' in found)) return found
      const { worker, pool } = found
      const { child } = worker.process
      const [program = ''] = pool.plan().argv
      // SIGUSR1 ends a program that does not handle it
      const pid = worker.nodePid()
      if (pid === undefined)
        return cannot(
          name,
          `it runs ${program}, not node; use a debugger of its language (Python: debugpy), or docker exec`,
        )
      const address = addresses.get(child.pid) ?? (await openInspector(child, pid, former))
      if (address === undefined)
        return cannot(name, 'it did not start its inspector: it handles SIGUSR1 itself, or has --disable-sigusr1')
      if (!addresses.has(child.pid)) log.warn('inspector opened', { worker: name, pid: child.pid, address })
      addresses.set(child.pid, address)
      worker.endHangWatch()
      return { ok: true, message: describeAccess(name, address) }
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
