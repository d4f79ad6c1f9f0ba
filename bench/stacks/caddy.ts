import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, commandOf } from '../processes.ts'
import { freePorts, home, nginxProcesses, type Workspace, workers } from '../workspace.ts'
import { cacheDirectory } from './cache.ts'
import { runCommand } from './command.ts'
import { unpackPackages } from './debian-packages.ts'
import { fillTemplate } from './nginx-conf.ts'
import { type Stack, startProgram } from './stack.ts'

/** Debian's Caddy, unpacked on first use, in front of plain Node processes that nothing supervises. */
export function caddyStack(workspace: Workspace): Stack {
  const root = cacheDirectory('caddy')
  const program = join(root, 'usr/bin/caddy')
  if (!existsSync(program)) unpackPackages(root, ['caddy'])
  const version = execFileSync(program, ['version'], { encoding: 'utf8' }).trim().split(' ')[0]
  return {
    name: `Caddy ${version}`,
    abilities: [],
    async start() {
      const dir = workspace.makeDirectory('caddy')
      const [httpPort = 0, httpsPort = 0, ...appPorts] = await freePorts(2 + workers)
      const conf = join(dir, 'Caddyfile')
      const write = (release?: number) => writeFileSync(conf, fillTemplate('Caddyfile', valuesOf(release)))
      const valuesOf = (release?: number) => ({
        DIR: dir,
        ADDRESS: '127.0.0.1',
        HTTP_PORT: String(httpPort),
        HTTPS_PORT: String(httpsPort),
        CERTIFICATE: workspace.certificate,
        KEY: workspace.key,
        IMAGE: workspace.image.path,
        SERVERS: appPorts.map(port => `127.0.0.1:${port}`).join(' '),
        RELEASE: release === undefined ? '' : `header X-Release ${release}`,
      })
      write()
      const env = { PATH: workspace.path, NODE_ENV: 'production', HOME: dir, GOMAXPROCS: String(nginxProcesses) }
      return startProgram({
        name: 'Caddy',
        command: ['/bin/sh', join(home, 'bench/peers/serve-caddy.sh'), program, conf, ...appPorts.map(String)],
        cwd: join(dir, 'app'),
        dir,
        env,
        httpPort,
        httpsPort,
        // the shell has replaced itself with Caddy
        workerPids: pid => childrenOf(pid).filter(child => commandOf(child).includes('server.js')),
        nginxPid: () => undefined,
        setRelease(release) {
          write(release)
          const args = ['reload', '--adapter', 'caddyfile', '--config', conf, '--address', `unix/${dir}/admin.sock`]
          return runCommand(program, args, { cwd: dir, env })
        },
      })
    },
  }
}
