import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import net from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { errnoOf, OperatorError } from '../../base/errors.ts'

const socketName = '.monohull.sock'
const responseTimeoutMs = 1000

/** Instance that writes to a log directory; without values if it did not say in time who it is. */
export interface LogDirectoryOwner {
  runDir?: string
  pid?: number
  host?: string
}

/**
 * Claims a log directory for this process, until it ends or calls the returned function. A socket in the directory shows it to other
 * processes, also in other containers of this machine; the kernel drops the claim of a process that was killed. Two instances would rename
 * each other's files. Throws an OperatorError if another instance has the directory; does nothing where no socket can be created.
 */
export async function claimLogDirectory(directory: string, runDir: string): Promise<() => void> {
  const claim = async (path: string) => {
    const owner = await ownerAt(path)
    if (owner) throw claimed(directory, owner)
    rmSync(path, { force: true })
    const self: LogDirectoryOwner = { runDir, pid: process.pid, host: hostname() }
    const server = net.createServer(socket => {
      socket.on('error', () => {})
      socket.end(JSON.stringify(self))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
    server.unref()
    return () => {
      rmSync(join(directory, socketName), { force: true })
      server.close()
    }
  }
  try {
    mkdirSync(directory, { recursive: true })
    return await inDirectory(directory, claim)
  } catch (error) {
    // what is wrong with the directory itself is reported by the files
    if (errnoOf(error) === undefined) throw error
    return () => {}
  }
}

/** Throws an OperatorError if an instance with another run_dir has a log directory. */
export async function expectUnclaimed(directory: string, runDir: string): Promise<void> {
  const owner = await inDirectory(directory, ownerAt).catch(() => undefined)
  if (owner && owner.runDir !== runDir) throw claimed(directory, owner)
}

function claimed(directory: string, { runDir, pid, host }: LogDirectoryOwner): OperatorError {
  const who = runDir === undefined ? 'another instance' : `the instance in run_dir ${runDir} (pid ${pid} on ${host})`
  return new OperatorError(`cannot write log files to ${directory}: ${who} writes to it`, {
    fix: 'set another logs.files.directory, one for each instance, or stop that instance',
  })
}

/** Owner of the directory with this socket; undefined if nobody listens on it. */
function ownerAt(path: string): Promise<LogDirectoryOwner | undefined> {
  return new Promise(resolve => {
    let text = ''
    let isConnected = false
    const socket = net.connect(path)
    const finish = () => {
      socket.destroy()
      resolve(isConnected ? readOwner(text) : undefined)
    }
    socket.setTimeout(responseTimeoutMs, finish)
    socket.on('connect', () => {
      isConnected = true
    })
    socket.on('data', chunk => {
      text += chunk
    })
    socket.on('error', finish)
    socket.on('end', finish)
  })
}

function readOwner(text: string): LogDirectoryOwner {
  try {
    const { runDir, pid, host } = Object(JSON.parse(text))
    return { runDir: String(runDir), pid: Number(pid), host: String(host) }
  } catch {
    return {}
  }
}

/** Passes the path of the socket, by a descriptor of the directory: the path of a socket has at most 107 bytes. */
async function inDirectory<T>(directory: string, act: (path: string) => Promise<T>): Promise<T> {
  const descriptor = openSync(directory, 'r')
  try {
    return await act(`/proc/self/fd/${descriptor}/${socketName}`)
  } finally {
    closeSync(descriptor)
  }
}
