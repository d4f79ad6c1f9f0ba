/** What a process and its children use. */
export interface ProcessUsage {
  /** Resident bytes; pages that two of them share count twice. */
  rss: number
  /** CPU time of the running ones and of children that ended, in seconds. */
  cpuSeconds: number
  /** CPUs in use since the last look, or since the start if that is long ago: 1 is a whole one. Undefined for a process that just started. */
  cpu?: number
  /** Open files; undefined if they are not visible. */
  descriptors?: number
  /** Delay of the event loop of a Node worker at its last sign of life, in seconds. */
  loopDelay?: number
  /** Share of the time since the sign of life before in which its event loop was busy, from 0 to 1. */
  loopUse?: number
  /** Connections that wait in its socket. */
  queue?: number
}

/** Requests of a worker since nginx's start. */
export interface WorkerLoad {
  /** Requests that it responded to. */
  total: number
  inFlight: number
  /** Time that its requests took, all added. */
  busySeconds: number
  /** Of those in flight, without WebSockets; its path has no query. */
  oldest?: { method: string; path: string; ageSeconds: number }
}

/** CPU, memory and disks of the container. Sizes are in bytes; undefined: unknown, or no limit. */
export interface ContainerUsage {
  cpuSeconds?: number
  /** CPUs that it may use. */
  cpus: number
  /** Time for which it had to wait for its quota of CPU, all its threads added. */
  throttledSeconds?: number
  memory?: number
  memoryLimit?: number
  oomKills?: number
  disks: DiskUsage[]
}

/** Free space for a directory. */
export interface DiskUsage {
  /** `run_dir` */
  name: string
  path: string
  free: number
  size: number
}
