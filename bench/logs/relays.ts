import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childrenOf, commandOf } from '../processes.ts'
import { cacheDirectory } from '../stacks/cache.ts'
import { freePorts, type Workspace } from '../workspace.ts'

/** Way for the output of app/printing.cjs to a pipe. */
export interface Relay {
  name: string
  /** Command whose output is the log. */
  command(form: string, lines: number): Promise<{ command: string[]; env?: Record<string, string> }>
  /** Processes that relay, among those below a pid. */
  pids(pid: number): number[]
}

/** A bare pipe, Monohull, and the peers that are available here. */
export function listRelays({ node, makeDirectory, package: root }: Workspace): Relay[] {
  const printer = (dir: string, form: string, lines: number) => [join(dir, 'app/printing.cjs'), form, String(lines)]
  const monohull = (name: string, env: Record<string, string>): Relay => ({
    name,
    async command(form, lines) {
      const dir = makeDirectory('logs')
      const [port = 0] = await freePorts(1)
      return {
        command: [node, join(root, 'dist/launcher.cjs'), 'run', node, ...printer(dir, form, lines)],
        env: {
          MONOHULL_HTTPS: 'off',
          MONOHULL_WORKERS: '1',
          // the printer blocks its event loop
          MONOHULL_TIMEOUT: '0s',
          MONOHULL_BIND_ADDRESSES: '127.0.0.1',
          MONOHULL_HTTP_PORT: String(port),
          MONOHULL_RUN_DIR: join(dir, 'run'),
          MONOHULL_STATE_DIR: join(dir, 'state'),
          MONOHULL_CERT_DIR: join(dir, 'certs'),
          ...env,
        },
      }
    },
    pids: pid => [pid],
  })
  const supervisord = join(cacheDirectory('supervisord'), 'usr/bin/supervisord')
  const pm2 = join(cacheDirectory('pm2'), 'node_modules/pm2/bin/pm2-runtime')
  const all: (Relay | false)[] = [
    {
      name: 'bare pipe',
      command: async (form, lines) => ({ command: [node, ...printer(makeDirectory('logs'), form, lines)] }),
      pids: () => [],
    },
    monohull('monohull', {}),
    monohull('monohull, JSON', { MONOHULL_LOG_FORMAT: 'json' }),
    monohull('monohull, JSON, files and JSON lines', {
      MONOHULL_LOG_FORMAT: 'json',
      PRINT_JSON: '1',
      MONOHULL_CONFIG: fileConfig(makeDirectory('log-files')),
    }),
    monohull('monohull, raw', { MONOHULL_LOG_FORMAT: 'raw' }),
    existsSync('/usr/bin/s6-log') && {
      name: 's6-log (time)',
      async command(form, lines) {
        const script = '"$@" | /usr/bin/s6-log -b T 1'
        return { command: ['/bin/sh', '-c', script, 'sh', node, ...printer(makeDirectory('logs'), form, lines)] }
      },
      pids: pid => childrenOf(pid).filter(child => commandOf(child).includes('s6-log')),
    },
    existsSync(supervisord) && {
      name: 'supervisord (untagged)',
      async command(form, lines) {
        const dir = makeDirectory('logs')
        const conf = join(dir, 'supervisord.conf')
        writeFileSync(
          conf,
          `[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${dir}/pid\n` +
            `[program:printer]\ncommand=${[node, ...printer(dir, form, lines)].join(' ')}\n` +
            'stdout_logfile=/dev/fd/1\nstdout_logfile_maxbytes=0\n',
        )
        return {
          command: ['/usr/bin/python3', supervisord, '--configuration', conf],
          env: { PYTHONPATH: join(cacheDirectory('supervisord'), 'usr/lib/python3/dist-packages') },
        }
      },
      pids: pid => [pid],
    },
    existsSync(pm2) && {
      name: 'PM2 (untagged)',
      async command(form, lines) {
        const dir = makeDirectory('logs')
        return {
          command: [node, pm2, 'start', '--raw', join(dir, 'app/printing.cjs'), '--', form, String(lines)],
          env: { PM2_HOME: join(dir, 'pm2') },
        }
      },
      pids: pid => [pid],
    },
  ]
  return all.filter(relay => relay !== false)
}

/** Configuration with log files in a directory, and with redaction. */
function fileConfig(dir: string): string {
  const path = join(dir, 'monohull.yaml')
  writeFileSync(
    path,
    `logs: { files: { directory: ${dir} } }\naccess_log: { redact: [query, remote_addr], exclude_paths: [/x] }\n`,
  )
  return path
}
