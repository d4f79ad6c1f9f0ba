/** Record in the shared state. */
export interface SharedRecord {
  value: string
  /** Number that is different after every write, also after Redis has lost its data. */
  version: number
}

/** Lock that this instance holds. */
export interface HeldLock {
  readonly name: string
  /** Fencing token: higher than that of every earlier holder of any lock. */
  readonly token: number
  /** Aborted when the lease is lost: another instance may act from then on. Not aborted by a release. */
  readonly signal: AbortSignal
  /** Value of the lock in Redis. */
  readonly value: string
  /** Gives the lock back. A failure is ignored, because the lease ends by itself. */
  release(): Promise<void>
}

/** Conditions of a write. */
export interface WriteConditions {
  /** Lock that must still be held when Redis performs the write, with no later holder's write before. */
  lock?: HeldLock | undefined
  /** Version that the record must have; 0: there must be none. */
  version?: number | undefined
}

/** Options of a write. */
export interface WriteOptions extends WriteConditions {
  /** Time after which the record ends by itself; undefined: it stays. */
  ttlMs?: number | undefined
}

/** Result of a write. `lost`: the lock is no longer held. `conflict`: the record has another version. */
export type WriteResult = { kind: 'written'; version: number } | { kind: 'lost' } | { kind: 'conflict' }

/** Instance that shares the state. */
export interface Member {
  id: string
  /** Time since its last sign of life by Redis's clock, in ms. */
  ageMs: number
  /** What it says about itself. */
  info: Record<string, unknown>
}

/** Operation that had a lock, or did not get it. */
export type LockedOutcome<T> = { hadLock: true; result: T } | { hadLock: false }

/**
 * State that several instances share in Redis. While Redis is unavailable, every operation rejects within two seconds, most of them at once. Records are
 * texts of at most a few kilobytes.
 */
export interface SharedState {
  /** Id of this instance for as long as it runs. */
  readonly id: string
  /** Reason why Redis is unavailable; undefined if it is connected. */
  problem(): string | undefined
  /** Time by Redis's clock as of the last measurement, in ms since the Unix epoch; before the first one, that of this machine. */
  now(): number
  measureTime(): Promise<void>
  /** Undefined if there is no such record. */
  read(name: string): Promise<SharedRecord | undefined>
  write(name: string, value: string, options?: WriteOptions): Promise<WriteResult>
  /** Removes a record, if there is one. */
  remove(name: string, conditions?: WriteConditions): Promise<WriteResult>
  /** Acquires a lock and keeps its lease; undefined if another instance, or another caller of this one, has it. */
  acquire(name: string): Promise<HeldLock | undefined>
  /** Does something with a lock, and releases it then. */
  withLock<T>(name: string, work: (lock: HeldLock) => Promise<T>): Promise<LockedOutcome<T>>
  /**
   * Reports changes of the records whose names begin with a prefix, also those that this instance makes; undefined: any of them may have changed.
   * Redis reports most of them at once. The returned function ends it.
   */
  watch(prefix: string, onChange: (name: string | undefined) => void): () => void
  /** Encrypted form of a text, which only opens under the same record name. Throws without `shared_state.secret`. */
  seal(name: string, text: string): string
  /** Text that was sealed. Throws if it was sealed with another secret or name. */
  unseal(name: string, sealed: string): string
  /** Instances that share the state, with those that ended without notice a few minutes ago. */
  members(): Promise<Member[]>
  /** Sets what this instance says about itself. It is asked every ten seconds. */
  introduce(describe: () => Record<string, unknown>): void
}
