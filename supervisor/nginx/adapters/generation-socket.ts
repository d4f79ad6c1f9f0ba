import { getText } from '../../base/adapters/unix-http.ts'
import { createSlotSockets } from '../../processes/adapters/listeners.ts'
import { generationSocketOf, readGeneration } from '../generation.ts'

/** Socket on which nginx returns the generation that it runs. */
export interface GenerationSocket {
  /** For nginx to inherit. */
  descriptor: number
  /** Generation of the worker that responds; undefined without a response. */
  ask(): Promise<number | undefined>
  close(): void
}

/** Binds the socket for nginx's directory. */
export function openGenerationSocket(directory: string): GenerationSocket {
  const path = generationSocketOf(directory)
  const { descriptor, close } = createSlotSockets({ uid: undefined, gid: undefined }).bind(path)
  return { descriptor, ask: async () => readGeneration(await getText(path, '/')), close }
}
