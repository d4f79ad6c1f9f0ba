import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { kill } from '../processes.ts'
import { freePorts, type Workspace } from '../workspace.ts'

const deadlineMs = 30_000

/** Time in ms from the start of `node server.js` alone until its port accepts connections. */
export async function measureBareStart(workspace: Workspace): Promise<number> {
  const dir = workspace.makeDirectory('bare')
  const [port = 0] = await freePorts(1)
  const env = { PATH: workspace.path, NODE_ENV: 'production', PORT: String(port) }
  const startedAt = performance.now()
  const child = spawn(workspace.node, ['server.js'], { cwd: join(dir, 'app'), env, stdio: 'ignore' })
  const ended = new Promise(resolve => child.once('exit', resolve))
  try {
    while (!(await accepts(port))) {
      if (performance.now() - startedAt > deadlineMs) throw new Error(`cannot start the app: no listener on ${port}`)
      await new Promise(resolve => setTimeout(resolve, 1))
    }
    return performance.now() - startedAt
  } finally {
    if (child.pid) kill(child.pid, 'SIGKILL')
    await ended
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    const settle = (isAccepted: boolean) => {
      socket.destroy()
      resolve(isAccepted)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}
