import { writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts, home, nginxProcesses, type Workspace, workers } from '../workspace.ts'
import { fillTemplate } from './nginx-conf.ts'
import { type Running, type Stack, startProgram } from './stack.ts'

/** Path of the call of bench/app/grpc.cjs. */
export const callPath = '/bench.Echo/Say'
/** Headers of a call. */
export const callHeaders = { 'content-type': 'application/grpc', te: 'trailers' }
/** A message of 100 bytes with its length before it. */
export const message = Buffer.concat([Buffer.from([0, 0, 0, 0, 100]), Buffer.alloc(100, 'x')])

const deadlineMs = 60_000
const program = join(home, 'bench/app/grpc.cjs')
const modules = () => dirname(dirname(dirname(createRequire(import.meta.url).resolve('@grpc/grpc-js/package.json'))))

/** Monohull with the gRPC server as its app. */
export function startGrpcMonohull(stack: Stack): Promise<Running> {
  const app = `{ command: [node, ${program}], protocol: grpc, workers: ${workers}, env: { NODE_PATH: ${modules()} } }`
  return stack.start({ config: `https: on\napp: ${app}\n` })
}

/** nginx with a configuration written by hand, and as many gRPC servers on ports. The returned `stop` ends all. */
export async function startGrpcNginx(workspace: Workspace): Promise<Running> {
  const dir = workspace.makeDirectory('grpc')
  const [httpPort = 0, httpsPort = 0, ...appPorts] = await freePorts(2 + workers)
  const conf = join(dir, 'nginx.conf')
  writeFileSync(
    conf,
    fillTemplate('grpc.conf', {
      DIR: dir,
      USER: process.getuid?.() === 0 ? 'user www-data;' : '',
      WORKER_PROCESSES: String(nginxProcesses),
      SERVERS: appPorts.map(port => `        server 127.0.0.1:${port} max_fails=0;`).join('\n'),
      HTTPS_PORT: String(httpsPort),
      CERTIFICATE: workspace.certificate,
      KEY: workspace.key,
    }),
  )
  const usual = { cwd: dir, dir, httpPort, httpsPort, workerPids: () => [], nginxPid: (pid: number) => pid }
  const servers = appPorts.map(port =>
    startProgram({
      ...usual,
      name: 'gRPC server',
      command: [process.execPath, program],
      env: { PATH: workspace.path, PORT: String(port), NODE_PATH: modules(), NODE_ENV: 'production' },
    }),
  )
  const command: [string, ...string[]] = ['nginx', '-p', dir, '-c', conf]
  const nginx = startProgram({ ...usual, name: 'nginx', command, env: { PATH: workspace.path } })
  return {
    ...nginx,
    async stop() {
      await nginx.stop()
      await Promise.all(servers.map(server => server.stop()))
    },
  }
}

/** Settles when a call succeeds, with its status in a trailer. */
export async function untilCalled(running: Running): Promise<void> {
  for (const end = performance.now() + deadlineMs; ; await pause(50)) {
    const status = await callOnce(running.httpsPort)
    if (status === '0') return
    if (running.hasEnded() || performance.now() > end)
      throw new Error(`${running.name} answers no call (status ${status}): ${running.log()}`)
  }
}

/** Status of one call; undefined without a response. */
function callOnce(port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
    const finish = (status: string | undefined) => {
      session.destroy()
      resolve(status)
    }
    session.once('error', () => finish(undefined))
    const stream = session.request({ ':method': 'POST', ':path': callPath, ...callHeaders })
    stream.once('error', () => finish(undefined))
    stream.once('trailers', trailers => finish(String(trailers['grpc-status'])))
    stream.once('close', () => finish(undefined))
    stream.resume().end(message)
  })
}
