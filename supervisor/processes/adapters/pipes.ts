import { spawnSync } from 'node:child_process'
import { closeSync, constants, existsSync, fchownSync, mkdirSync, openSync, rmSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/** Number of pipes that are made at once. */
const batch = 16
const readBytes = 1 << 16

/** Pipe for the output of a child. */
export interface Pipe {
  /** Its chunks are valid only during the event. */
  reader: Readable
  /** Descriptor that the child inherits; close it afterwards. */
  writer: number
}

/** Source of pipes. */
export interface Pipes {
  /** A pipe that belongs to a user; undefined if the system refuses. */
  open(uid: number | undefined, gid: number | undefined): Pipe | undefined
}

/**
 * Pipes that a program can open again as /dev/stdout, unlike the sockets that Node makes. Node has no pipe(2), so each is a named pipe,
 * whose name is removed as soon as it is open. mkfifo makes several at once in `directory`.
 */
export function createPipes(directory: string): Pipes {
  let spare: string[] = []
  let made = 0
  /** Memory for what is read: all pipes share it, because a buffer for each read stays until the next garbage collection. */
  let buffer: Buffer | undefined
  rmSync(directory, { recursive: true, force: true })

  function make(): void {
    const names = Array.from({ length: batch }, () => join(directory, String(++made)))
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 })
    const { status } = spawnSync('/usr/bin/mkfifo', ['-m', '600', ...names], { stdio: 'ignore' })
    if (status === 0) spare = names
  }

  function read(descriptor: number): Readable {
    buffer ??= Buffer.allocUnsafeSlow(readBytes)
    const socket = new net.Socket({
      fd: descriptor,
      readable: true,
      writable: false,
      onread: {
        buffer,
        callback: (length: number, chunk: Uint8Array) => socket.emit('data', chunk.subarray(0, length)),
      },
    })
    return socket
  }

  return {
    open(uid, gid) {
      const opened: number[] = []
      const path = () => {
        if (spare.length === 0) make()
        return spare.shift()
      }
      try {
        const name = path()
        if (name === undefined) return undefined
        // without a reader, opening it for writing would wait
        opened.push(openSync(name, constants.O_RDONLY | constants.O_NONBLOCK))
        opened.push(openSync(name, constants.O_WRONLY))
        rmSync(name)
        const [reader = 0, writer = 0] = opened
        if (uid !== undefined && gid !== undefined) fchownSync(writer, uid, gid)
        return { reader: read(reader), writer }
      } catch {
        spare = [] // somebody may have removed them
        for (const descriptor of opened) closeSync(descriptor)
        return undefined
      }
    },
  }
}
