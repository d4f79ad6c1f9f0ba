import type { Status } from '../status.ts'

/** Where this process runs. */
export type Surroundings = 'kubernetes' | 'container' | 'host'

/** Space of a directory. */
export interface DiskFacts {
  /** Key of the configuration that sets it. */
  key: string
  path: string
  freeBytes: number
  bytes: number
  freeFiles: number
  /** 0: the file system does not count them. */
  files: number
}

/** What a diagnosis needs to know about the machine. Sizes are in bytes, times in ms. */
export interface DiagnosisFacts {
  surroundings: Surroundings
  /** Platform that stops its containers after a time of its own, which `stop_timeout` then follows by default. */
  platform: string | undefined
  cpus: number
  memory: { limit: number | undefined; used: number | undefined }
  /** Resident memory of the workers that run, by app. */
  workerMemory: ReadonlyMap<string, number>
  /** Reason why state_dir is lost with the container; undefined if it persists. */
  transience: string | undefined
  disks: readonly DiskFacts[]
  /** Hard limit of open files of a process. */
  openFiles: number
  clock: { now: number; passed: { time: number; evidence: string } | undefined }
  /** Clock of the CA minus the own one; undefined without ACME, or if the CA cannot be reached. */
  authority: { url: string; aheadMs: number | undefined; problem: string | undefined } | undefined
  /** Names that should resolve, with the problem if they do not. */
  names: readonly { name: string; key: string; problem: string | undefined }[]
  /** Status of the running instance; undefined without one. */
  running: Status | undefined
}
