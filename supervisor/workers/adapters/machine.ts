import { findDetached, signalDetached } from '../../processes/adapters/detached.ts'
import { createSlotSockets } from '../../processes/adapters/listeners.ts'
import { describePortOwner, memoryOfGroups, portsOfGroup } from '../../processes/adapters/procfs.ts'
import type { WorkerMachine } from '../apps.ts'
import { readHungStack } from '../hangs/adapters/hung-stack.ts'

/** This machine. */
export const workerMachine: WorkerMachine = {
  socketsFor: gid => createSlotSockets({ uid: undefined, gid }),
  portsOf: portsOfGroup,
  ownerOf: describePortOwner,
  readStack: readHungStack,
  memoryOf: memoryOfGroups,
  findDetached,
  signalDetached,
}
