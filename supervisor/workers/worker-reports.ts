import type { Clock } from '../base/clock.ts'
import type { Child } from '../processes/child.ts'

/** Age from which a reported load is out of date. */
const loadValidMs = 3000

/** Event loop of a Node worker at a sign of life: the delay in s, and the share of the time since the last one in which it was busy. */
export interface LoopReport {
  use: number
  delay: number
}

/** What a worker has reported about itself on its notify descriptor. */
export interface WorkerReports {
  /** Recent load, from 0 to 1, and 1 once it stopped reporting; undefined if it has never reported any. */
  load(): number | undefined
  /** Its event loop; undefined for any other program than Node. */
  loop(): LoopReport | undefined
  /** Pid of its Node process: the program itself, or the child of a wrapper. Undefined for any other program. */
  nodePid(): number | undefined
  /** Whether it counts its requests, to report when it has reached its limit. */
  countsRequests(): boolean
  /** Number of requests that it reported. It reports once, at its limit; 0 before that. */
  requests(): number
}

/** Reports of a worker from now on. `onAccepting`: called when it reports whether it accepts connections. */
export function readReports(child: Child, clock: Clock, onAccepting: (accepts: boolean) => void): WorkerReports {
  let reported: { load: number; at: number } | undefined
  let loop: LoopReport | undefined
  let nodePid: number | undefined
  let countsRequests = false
  let requests = 0
  child.onNotify((key, value) => {
    if (key === 'NODE_PID') nodePid = Number(value) || undefined
    if (key === 'LOAD') reported = { load: Math.min(1, Math.max(0, Number(value) || 0)), at: clock.monotonic() }
    if (key === 'LOOP') loop = readLoop(value)
    if (key === 'READY') onAccepting(value === '1')
    if (key === 'REQUEST_LIMIT') countsRequests = true
    if (key === 'REQUESTS') requests = Number(value) || 0
  })

  return {
    // a worker that stopped reporting is busy
    load: () => reported && (clock.monotonic() - reported.at > loadValidMs ? 1 : reported.load),
    loop: () => loop,
    nodePid: () => nodePid,
    countsRequests: () => countsRequests,
    requests: () => requests,
  }
}

/** Report in the text of a sign of life, `0.250 3`: share and ms. */
function readLoop(text: string): LoopReport | undefined {
  const [use, delayMs] = text.split(' ').map(Number)
  if (use === undefined || delayMs === undefined || !Number.isFinite(use + delayMs)) return undefined
  return { use: Math.min(1, Math.max(0, use)), delay: Math.max(0, delayMs / 1000) }
}
