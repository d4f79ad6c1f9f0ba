import { createLog } from '../../../supervisor/base/log.ts'
import type { RenderedNginx } from '../../../supervisor/nginx/complaint.ts'
import type { NginxMasterDeps } from '../../../supervisor/nginx/master.ts'
import type { NginxFiles } from '../../../supervisor/nginx/service.ts'
import { createHandClock } from '../hand-clock.ts'
import { createRefusingSystem } from '../refusing-system.ts'

/** What an nginx is made of, on a system that refuses to start it when a test says so. Its workers follow each HUP at once. */
export function createNginxSystem() {
  const system = createRefusingSystem()
  const { clock, advance, waiting } = createHandClock()
  const lines: string[] = []
  const isAlive = (pid: number) => system.alive().some(child => child.pid === pid)
  const generationOf = (pid: number) =>
    system.children.find(child => child.pid === pid)?.signals.filter(signal => signal === 'SIGHUP').length ?? 0
  const deps: NginxMasterDeps = {
    clock,
    spawn: system.spawn,
    random: () => 0,
    log: createLog({ format: 'text', level: 'info', now: () => 0, write: line => void lines.push(line) }),
    configuration: '/run/nginx/current',
    processes: {
      childrenOf: pid => (isAlive(pid) ? [pid * 1000 + generationOf(pid)] : []),
      isNginxDraining: pid => pid % 1000 < generationOf(Math.floor(pid / 1000)),
      isGroupDraining: () => true,
      isHandlingSignal: () => undefined,
      endWorker: () => {},
      wakeUpsOf: () => 0,
    },
    askGeneration: async () => undefined,
    descriptors: [7],
    env: {},
  }
  return { ...system, deps, lines, advance, waiting }
}

export interface RefusingFiles extends NginxFiles {
  /** What each step throws from now on; undefined: nothing. */
  refuse: { stage?: Error | undefined; test?: Error | undefined; promote?: Error | undefined }
  /** Folders that are there. */
  folders: Set<string>
  /** The one in use. */
  current(): string | undefined
}

/** Files of an nginx that accepts every configuration, on a disk that takes none when a test says so. */
export function createRefusingFiles(): RefusingFiles {
  const refuse: RefusingFiles['refuse'] = {}
  const folders = new Set<string>()
  const texts = new Map<string, string>()
  let staged = 0
  let current: string | undefined
  return {
    refuse,
    folders,
    current: () => current,
    currentDirectory: '/run/nginx/current',
    stage(rendered) {
      if (refuse.stage) throw refuse.stage
      const folder = `generation-${++staged}`
      folders.add(folder)
      texts.set(folder, [...rendered.values()].join('\n'))
      return folder
    },
    async test(folder) {
      if (refuse.test) throw refuse.test
      return { ok: true, warnings: [], text: texts.get(folder) ?? '' }
    },
    promote(folder) {
      if (refuse.promote) throw refuse.promote
      const former = current
      current = folder
      return former
    },
    discard: folder => void folders.delete(folder),
  }
}

/** A configuration of one file. */
export function rendered(text: string): RenderedNginx {
  return { files: new Map([['rendered/main.conf', text]]), ownConf: undefined }
}
